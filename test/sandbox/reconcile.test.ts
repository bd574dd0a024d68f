import { expect, test } from 'vitest'
import type { ReadRecord } from '../../src/sandbox/reader.js'
import { parseMetrics, reconcile } from '../../src/sandbox/reconcile.js'
import { type MutableObserved, metricsOf, perfectRun } from '../helpers/processes/perfect-run.js'

test('a run without a fault reconciles: every route has one number in all four places', () => {
  const { routes, redelivered, refused, outcomes, differences } = reconcile(perfectRun())
  expect(differences).toEqual([])
  for (const { sent, answered, inKafka, acknowledged } of routes) {
    expect(sent).toBeGreaterThan(0)
    expect([answered, inKafka, acknowledged]).toEqual([sent, sent, sent])
  }
  expect(redelivered).toEqual({ sent: 5, duplicates: 5 })
  for (const { sent, answered } of refused) expect([sent, answered]).toEqual([1, 1])
  expect(refused).toHaveLength(6)
  for (const { headgate, sender } of outcomes) expect(headgate).toBe(sender)
})

const last = <Item>(items: readonly Item[]): Item => items[items.length - 1] as Item
const changeLastRecord = (change: (record: ReadRecord) => object) => (run: MutableObserved) => {
  const record = last(run.records)
  run.records[run.records.length - 1] = { ...record, ...change(record) }
}
const changeResponse =
  (index: (run: MutableObserved) => number, change: object, body: object) => (run: MutableObserved) => {
    const at = index(run)
    const exchange = run.exchanges[at] as (typeof run.exchanges)[number]
    run.exchanges[at] = {
      ...exchange,
      response: { ...exchange.response, ...change, body: { ...exchange.response.body, ...body } },
    }
  }
const firstDelivered = (run: MutableObserved) =>
  run.exchanges.findIndex(({ posting }) => posting.event.expected.kind === 'delivered')
const firstRejected = (run: MutableObserved) =>
  run.exchanges.findIndex(({ posting }) => posting.event.expected.kind === 'rejected')
const firstAgain = (run: MutableObserved) => run.exchanges.findIndex(({ posting }) => posting.redelivery)

test.each<[string, RegExp, (run: MutableObserved) => void]>([
  ['a record that is missing', /no record at the position/, (run) => run.records.pop()],
  [
    'a second record of one event',
    /no response names this record/,
    (run) => run.records.push({ ...last(run.records), offset: 9999 }),
  ],
  ['a record in another partition', /no record at the position/, changeLastRecord(() => ({ partition: 3 }))],
  [
    'a record with one byte changed',
    /the value of the record/,
    changeLastRecord(({ value }) => ({ value: Buffer.from(value).fill('!', 0, 1) })),
  ],
  [
    'a record with another key',
    /the key of the record is/,
    changeLastRecord(() => ({ key: Buffer.from('other') })),
  ],
  ['a record without key', /the key of the record is null/, changeLastRecord(() => ({ key: null }))],
  [
    'a record without its event type',
    /the header event-type of the record is undefined/,
    changeLastRecord(({ headers: { 'event-type': _, ...headers } }) => ({ headers })),
  ],
  [
    'a record with the route of another one',
    /the header headgate-route of the record is wrong/,
    changeLastRecord(({ headers }) => ({ headers: { ...headers, 'headgate-route': 'wrong' } })),
  ],
  [
    'a record without the revision of the config',
    /no header headgate-revision/,
    changeLastRecord(({ headers }) => ({ headers: { ...headers, 'headgate-revision': '' } })),
  ],
  [
    'an event that was not acknowledged',
    /acknowledged 0 times; expected 1/,
    (run) => run.acknowledged.delete('da-000000'),
  ],
  [
    'one acknowledgement for two events with one id',
    /acknowledged 1 times; expected 2/,
    (run) => run.acknowledged.set('da-000039', 1),
  ],
  [
    'an acknowledgement of what was refused',
    /invalid-1-0: acknowledged, although it was not delivered/,
    (run) => run.acknowledged.set('invalid-1-0', 1),
  ],
  [
    'a valid event that was refused',
    /the response was 422 HG_SCHEMA_VIOLATION; expected 200/,
    changeResponse(firstDelivered, { status: 422 }, { code: 'HG_SCHEMA_VIOLATION' }),
  ],
  [
    'an event that was delivered twice',
    /the outcomes were delivered, delivered; expected delivered once/,
    changeResponse(firstAgain, {}, { outcome: 'delivered' }),
  ],
  [
    'a duplicate with another place',
    /the responses name different positions/,
    changeResponse(firstAgain, {}, { offset: 9999 }),
  ],
  [
    'an invalid event that was accepted',
    /the response was 200 undefined; expected 4/,
    changeResponse(firstRejected, { status: 200 }, { code: undefined }),
  ],
  [
    'a metric that counts one too many',
    /headgate_events_total counts 1000 delivered/,
    (run) => {
      run.metrics = metricsOf({ delivered: 1000 })
    },
  ],
  [
    'an exit code that is not 0',
    /Headgate ended with exit code 1/,
    (run) => {
      run.exit = { code: 1, signal: null }
    },
  ],
  [
    'an end by force',
    /Headgate ended with SIGKILL/,
    (run) => {
      run.exit = { code: null, signal: 'SIGKILL' }
    },
  ],
])('%s is a difference', (_fault, expected, spoil) => {
  const run = perfectRun()
  spoil(run)
  expect(reconcile(run).differences.join('\n')).toMatch(expected)
})

test('a record in the partition of another route is a difference even where the response says the same', () => {
  const run = perfectRun()
  const at = firstDelivered(run)
  const exchange = run.exchanges[at] as (typeof run.exchanges)[number]
  const { offset } = exchange.response.body as { offset: number }
  changeResponse(() => at, {}, { partition: 3 })(run)
  run.records = run.records.map((record) => (record.offset === offset ? { ...record, partition: 3 } : record))
  expect(reconcile(run).differences.join('\n')).toMatch(/; expected cxone.data.actions.high, partition 0/)
})

test('a fault lowers the number at its own place only', () => {
  const run = perfectRun()
  run.records.pop()
  const { routes } = reconcile(run)
  const sum = (place: 'sent' | 'answered' | 'inKafka' | 'acknowledged') =>
    routes.reduce((total, route) => total + route[place], 0)
  expect(sum('inKafka')).toBe(sum('sent') - 1)
  expect([sum('answered'), sum('acknowledged')]).toEqual([sum('sent'), sum('sent')])
})

const METRICS = parseMetrics(`# HELP headgate_events_total Events received, by how they ended.
# TYPE headgate_events_total counter
headgate_events_total{pipeline="orders",outcome="delivered"} 3
headgate_events_total{pipeline="bills",outcome="delivered"} 4
headgate_events_total{pipeline="orders",outcome="a \\"quoted\\", {odd} one"} 5
headgate_inflight_events 1.5e+2
`)

test('a sum takes the samples that have the labels', () => {
  expect(METRICS.sum('headgate_events_total')).toBe(12)
  expect(METRICS.sum('headgate_events_total', { outcome: 'delivered' })).toBe(7)
  expect(METRICS.sum('headgate_events_total', { outcome: 'delivered', pipeline: 'bills' })).toBe(4)
})

test('a metric without labels is read, and what is not there is 0', () => {
  expect(METRICS.sum('headgate_inflight_events')).toBe(150)
  expect(METRICS.sum('headgate_nothing')).toBe(0)
})

test('quotes and braces in a label do not end it', () => {
  expect(
    METRICS.sum('headgate_events_total', { outcome: 'a \\"quoted\\", {odd} one', pipeline: 'orders' }),
  ).toBe(5)
})
