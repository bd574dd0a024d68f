import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startCxone } from '../../src/sandbox/cxone.js'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import { temporaryDirectory } from '../helpers/context.js'
import { eventText } from '../helpers/processes/deployment.js'

/**
 * On the embedded Kafka, which has groups and transactions but keeps no offsets of a transaction: test/faults/inbox.test.ts starts,
 * stops and kills instances beside a real one.
 */

const PREFIX = 'cxone.data.actions'
const ROUTES = ['high', 'eu', 'default', 'dlq'].map((route) => `${PREFIX}.${route}`)
const INBOX = `${PREFIX}.inbox`

async function setUp() {
  const kafka = await startKafka([...ROUTES, INBOX])
  onTestFinished(() => kafka.stop())
  const cxone = await startCxone({ clientId: 'test-client', clientSecret: 'test-secret' })
  onTestFinished(() => cxone.close())
  const shipped = readFileSync('plugins.config.json', 'utf8').replaceAll(
    './schemas/',
    `${resolve('schemas')}/`,
  )
  const text = shipped.replace('"source": {', `"inbox": { "topic": "${INBOX}" }, "source": {`)
  const config = join(temporaryDirectory({ 'plugins.config.json': text }), 'plugins.config.json')
  const start = async () => {
    const headgate = await startHeadgate({
      config,
      env: {
        KAFKA_BROKERS: kafka.bootstrap,
        CXONE_BASE_URL: cxone.url,
        CXONE_CLIENT_ID: 'test-client',
        CXONE_CLIENT_SECRET: 'test-secret',
        WEBHOOK_TOKEN: 'test-webhook-token',
      },
    })
    onTestFinished(() => void headgate.kill('SIGKILL'))
    return headgate
  }
  const post = async ({ intake }: HeadgateProcess, body: string) => {
    const response = await fetch(new URL('/webhook/cxone/data-actions', intake), {
      method: 'POST',
      headers: { authorization: 'Bearer test-webhook-token', 'content-type': 'application/json' },
      body,
    })
    return { status: response.status, body: (await response.json()) as { [name: string]: unknown } }
  }
  const written = async () =>
    (await readTopics(kafka.bootstrap, ROUTES)).map(({ headers }) => headers['headgate-event-id'])
  return { cxone, start, post, written }
}

const workedOff = async ({ admin }: HeadgateProcess) =>
  (await scrape(admin)).sum('headgate_inbox_events_total')

test('events are accepted with their place, delivered once, acknowledged each time, and rejected at once if bad', async () => {
  const { cxone, start, post, written } = await setUp()
  const headgate = await start()
  for (const id of ['a', 'b', 'a'])
    expect(await post(headgate, eventText(id, '{}'))).toEqual({
      status: 200,
      body: {
        id,
        outcome: 'accepted',
        topic: INBOX,
        partition: expect.any(Number),
        offset: expect.any(Number),
      },
    })
  expect((await post(headgate, '{"dataActionId":"c"}')).status).toBe(422)
  await vi.waitFor(async () => expect(await workedOff(headgate)).toBe(3), { timeout: 15_000 })
  await vi.waitFor(
    () =>
      expect([...cxone.acknowledged]).toEqual(
        expect.arrayContaining([
          ['a', 2],
          ['b', 1],
        ]),
      ),
    {
      timeout: 15_000,
    },
  )
  expect((await written()).toSorted()).toEqual(['a', 'b'])
  expect((await headgate.stop()).code).toBe(0)
})
