/**
 * Several instances of a pipeline without an inbox, on two state directories, beside a Kafka that is well.
 *
 * | case | test |
 * |---|---|
 * | 30 | kill -9 of the active instance under resending senders: the standby takes over |
 * | 31 | SIGTERM of the active instance: the standby takes over at once |
 * | 32 | the active instance is frozen past its session and goes on: it takes nothing more |
 */
import { expect, onTestFinished, test } from 'vitest'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import { temporaryDirectory } from '../helpers/context.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { deploy, environment, eventText, type WebhookResponse } from '../helpers/processes/deployment.js'
import { startSenders } from '../helpers/processes/resending-senders.js'
import { expectOnceAndAcknowledged } from './invariant.js'

const TAKEN_OVER = { timeout: 60_000, interval: 100 }

/** An active instance, and a standby on another state directory. */
async function startBoth() {
  const deployment = await deploy(sharedKafka())
  const standby = await startHeadgate({
    config: deployment.configFile,
    env: { ...environment(sharedKafka(), deployment.cxone), HEADGATE_STATE_DIR: temporaryDirectory() },
    until: 'listening',
  })
  onTestFinished(() => standby.kill('SIGKILL'))
  return { deployment, active: deployment.headgate, standby }
}

async function ready({ admin }: HeadgateProcess) {
  const response = await fetch(new URL('/ready', admin))
  const { reasons } = (await response.json()) as { reasons: string[] }
  return { status: response.status, reasons }
}

const statusOf = async (process: HeadgateProcess) => (await ready(process)).status

async function post({ intake }: HeadgateProcess, body: string): Promise<WebhookResponse> {
  const response = await fetch(new URL('/webhook/cxone/data-actions', intake), {
    method: 'POST',
    body,
    headers: {
      authorization: `Bearer ${environment('', { url: '' })['WEBHOOK_TOKEN']}`,
      'content-type': 'application/json',
    },
    signal: AbortSignal.timeout(3000),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as WebhookResponse['body'],
  }
}

describeKafka('a second instance of a pipeline without an inbox', () => {
  test('it stands by, names the active one, and takes no event', async () => {
    const { deployment, active, standby } = await startBoth()
    const { pipeline } = deployment
    await expect
      .poll(() => ready(standby), TAKEN_OVER)
      .toEqual({
        status: 503,
        reasons: [
          expect.stringMatching(
            new RegExp(
              `^${pipeline}: Another instance of pipeline "${pipeline}" is active: process ${active.pid} on \\S+, since 2`,
            ),
          ),
        ],
      })
    expect((await fetch(new URL('/health', standby.admin))).status).toBe(200)
    expect(await post(standby, eventText('a', '{}'))).toMatchObject({
      status: 503,
      body: { code: 'HG_LEDGER_STANDBY' },
    })
    expect(await post(active, eventText('a', '{}'))).toMatchObject({ status: 200 })
    expect(await statusOf(active)).toBe(200)
    await expectOnceAndAcknowledged(deployment, ['a'])
  })

  test('case 30: kill -9 of the active instance under load: the standby takes over, and nothing is written twice', async () => {
    const { deployment, active, standby } = await startBoth()
    const both = [active, standby]
    const senders = startSenders({
      post: (body) => post(both[Math.floor(Math.random() * both.length)] as HeadgateProcess, String(body)),
    })
    await expect.poll(() => senders.answered.size, TAKEN_OVER).toBeGreaterThan(200)
    active.kill('SIGKILL')
    await expect.poll(() => statusOf(standby), TAKEN_OVER).toBe(200)
    const before = senders.answered.size
    await expect.poll(() => senders.answered.size, TAKEN_OVER).toBeGreaterThan(before + 200)
    await senders.finish()
    await expectOnceAndAcknowledged({ ...deployment, headgate: standby }, senders.answered)
  }, 120_000)

  test('case 31: after SIGTERM of the active instance the standby recognises its events, and the former one stands by when it comes back', async () => {
    const { deployment, active, standby } = await startBoth()
    expect(await post(active, eventText('a', '{}'))).toMatchObject({ body: { outcome: 'delivered' } })
    await deployment.end('SIGTERM')
    await expect.poll(() => statusOf(standby), TAKEN_OVER).toBe(200)
    expect(await post(standby, eventText('a', '{}'))).toMatchObject({ body: { outcome: 'duplicate' } })
    await deployment.start('listening')
    const again = deployment.headgate
    await expect
      .poll(async () => (await ready(again)).reasons.join(), TAKEN_OVER)
      .toContain(`process ${standby.pid} on `)
    await expectOnceAndAcknowledged({ ...deployment, headgate: standby }, ['a'])
  }, 120_000)

  test('case 32: an instance that is frozen past its session takes nothing when it goes on', async () => {
    const { deployment, active, standby } = await startBoth()
    expect(await post(active, eventText('a', '{}'))).toMatchObject({ status: 200 })
    active.kill('SIGSTOP')
    await expect.poll(() => statusOf(standby), TAKEN_OVER).toBe(200)
    const frozen = post(active, eventText('b', '{}'))
    expect(await post(standby, eventText('b', '{}'))).toMatchObject({ body: { outcome: 'delivered' } })
    active.kill('SIGCONT')
    const code = expect.stringMatching(/^HG_LEDGER_(STANDBY|UNDECIDED)$/)
    expect(await frozen).toMatchObject({ status: 503, body: { code } })
    await expect
      .poll(async () => (await ready(active)).reasons.join(), TAKEN_OVER)
      .toContain(`process ${standby.pid} on `)
    await expectOnceAndAcknowledged({ ...deployment, headgate: standby }, ['a', 'b'])
  }, 120_000)
})
