import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startCxone } from '../../src/sandbox/cxone.js'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment, eventText } from '../helpers/processes/deployment.js'
import { failedAckCommands } from '../helpers/processes/failed-acknowledgements.js'

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
  const env = environment(kafka.bootstrap, cxone)
  const start = async () => {
    const headgate = await startHeadgate({ config, env })
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
  return { cxone, start, post, written, ...failedAckCommands(config, env) }
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

test('failed acknowledgements are listed beside dead letters, made again or discarded, and never replayed', async () => {
  const { cxone, start, post, written, list, listText, show, replay, discard, ledger, retry } = await setUp()
  const headgate = await start()
  cxone.script('acknowledge', [{ status: 404 }, { status: 404 }])
  for (const id of ['a', 'b']) await post(headgate, eventText(id, '{}'))
  await vi.waitFor(async () => expect(await list()).toHaveLength(2), { timeout: 15_000 })
  const listed = await listText()
  expect(listed.out).toMatch(/post-commit\.0\.cxone-ack/)
  expect(listed.out).toContain('2 of them are failed acknowledgements: "headgate ledger retry"')
  const [place = ''] = / (\d+:\d+) +b /.exec(listed.out)?.slice(1) ?? []
  expect((await show(place)).out).toContain(
    'a failed acknowledgement: "headgate ledger retry" makes it pending again',
  )
  expect((await ledger(headgate)).out).toMatch(new RegExp(`failed: 2\\n.*\\n.*  ${place}  b  .*404`))

  expect((await replay()).out).toContain('No dead letters sent.')
  expect(await replay(place)).toMatchObject({
    code: 1,
    out: expect.stringContaining('it is a failed acknowledgement'),
  })
  expect((await discard(place, 'the sender knows')).code).toBe(0)
  expect(await list()).toEqual([['a', 'open']])

  expect((await retry(headgate)).out).toContain(': 1 failed acknowledgements are pending again')
  await vi.waitFor(async () => expect(await list()).toEqual([]), { timeout: 15_000 })
  expect((await list({ all: true })).toSorted()).toEqual([
    ['a', 'acknowledged'],
    ['b', 'discarded'],
  ])
  expect([...cxone.acknowledged]).toEqual([['a', 1]])
  expect((await ledger(headgate)).out).toContain('failed: 0')
  expect((await scrape(headgate.admin)).sum('headgate_ledger_failed')).toBe(0)
  // The other records are failed acknowledgements and notes.
  expect((await written()).filter((id) => id !== undefined).toSorted()).toEqual(['a', 'b'])
  expect((await headgate.stop()).code).toBe(0)
})
