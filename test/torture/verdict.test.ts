import { expect, test } from 'vitest'
import { eventAt, type InTopic, type TortureEvent } from '../../torture/events.js'
import { createJournal, isStored, type Journal, type Sent } from '../../torture/journal.js'
import type { SeenRecord } from '../../torture/records.js'
import { type Breach, judge, type Observed, unacknowledged } from '../../torture/verdict.js'

type Mutable = {
  -readonly [member in keyof Observed]: Observed[member]
} & { records: SeenRecord[]; acknowledged: Map<string, { times: number; firstAt: number }> }

const EVENTS = 300
/** Long after the responses, which have the time of the test. */
const APPENDED_AT = Date.UTC(2100, 0, 1)

/** A run without a fault, seen from outside. */
function perfectRun(): Mutable & { journal: Journal } {
  const journal = createJournal()
  const records: SeenRecord[] = []
  const acknowledged: Mutable['acknowledged'] = new Map()
  for (let n = 0; n < EVENTS; n++) {
    const event = eventAt(n, 1, 'secret')
    const entry = journal.open(event)
    const { expected, id } = event
    if (expected.kind === 'rejected') {
      journal.settle(entry, { status: expected.status, body: { code: expected.code } })
      continue
    }
    const record = recordOf(id, expected, n)
    records.push(record)
    const { times = 0 } = acknowledged.get(id) ?? {}
    acknowledged.set(id, { times: times + 1, firstAt: APPENDED_AT + EVENTS })
    const { topic, partition, offset } = record
    const delivered = expected.kind === 'record'
    const outcome = delivered ? 'delivered' : 'dead-lettered'
    const body = { id, outcome, topic, partition, offset }
    journal.settle(entry, { status: delivered ? 200 : 202, body })
    if (n % 10 === 0) journal.settle(entry, { status: 200, body: { ...body, outcome: 'duplicate' } })
  }
  return { journal, sent: journal.sent, records, acknowledged, troubles: [] }
}

const recordOf = (id: string, { topic, partition, digest }: InTopic, n: number): SeenRecord => ({
  topic,
  partition: partition ?? 0,
  offset: n,
  id,
  digest,
  appendedAt: APPENDED_AT + n,
  revision: 'abc123',
})

const breachesOf = (run: Observed) => judge(run).violations.map(({ breach }) => breach)
const change = (at: number, changed: Partial<SeenRecord>) => (run: Mutable) => {
  run.records[at] = { ...(run.records[at] as SeenRecord), ...changed }
}
const firstRecord = (run: Mutable) => run.records[0] as SeenRecord

test('a run in which every promise was kept has no violation, and counts that agree', () => {
  const { counts, violations } = judge(perfectRun())
  expect(violations).toEqual([])
  expect(counts.sent).toBe(EVENTS)
  expect(counts.refused).toBeGreaterThan(0)
  expect(counts.inDeadLetters).toBeGreaterThan(0)
  expect(counts.answered).toBe(EVENTS - counts.refused)
  expect(counts.inKafka + counts.inDeadLetters).toBe(counts.answered)
  expect(counts.acknowledged).toBe(counts.answered)
})

test.each<[string, readonly Breach[], RegExp, (run: Mutable) => void]>([
  [
    'a record that is missing',
    ['lost', 'acknowledged before durable'],
    /da-000000 /,
    (run) => run.records.shift(),
  ],
  [
    'a second record of an event',
    ['duplicates'],
    /da-000000 is at cxone.data.actions.high\/0\/0 since [\d:.]+ under revision abc123, and at cxone.data.actions.high\/0\/9999 since/,
    (run) => run.records.push({ ...firstRecord(run), offset: 9999 }),
  ],
  [
    'a record in another partition',
    ['misrouted', 'misrouted'],
    /belongs into cxone.data.actions.high\/0\.[\s\S]*got a response with cxone.data.actions.high\/0\/0, but its record is not there/,
    change(0, { partition: 2 }),
  ],
  [
    'a record in another topic',
    ['misrouted', 'misrouted'],
    /belongs into cxone.data.actions.high\/0/,
    change(0, { topic: 'cxone.data.actions.dlq' }),
  ],
  [
    'a record at another offset than the response says',
    ['misrouted'],
    /got a response with cxone.data.actions.high\/0\/0, but its record is not there/,
    change(0, { offset: 9999 }),
  ],
  [
    'a record with another value',
    ['misrouted', 'lost', 'acknowledged before durable'],
    /its value is not what was sent/,
    change(0, { digest: 'another' }),
  ],
  [
    'a record with another key',
    ['misrouted', 'lost', 'acknowledged before durable'],
    /somebody is at .*: no event that belongs into Kafka has this id/,
    change(0, { id: 'somebody' }),
  ],
  [
    'a record without a key',
    ['misrouted', 'lost', 'acknowledged before durable'],
    /no event that belongs into Kafka has this id/,
    change(0, { id: undefined }),
  ],
  [
    'a record of an event that was refused',
    ['misrouted'],
    /no event that belongs into Kafka has this id/,
    (run) => run.records.push({ ...firstRecord(run), id: refused(run).id, offset: 9999 }),
  ],
  [
    'an acknowledgement of what was never sent',
    ['acknowledged before durable'],
    /nobody has no record/,
    (run) => run.acknowledged.set('nobody', { times: 1, firstAt: APPENDED_AT }),
  ],
  [
    'an acknowledgement before the record was appended',
    ['acknowledged before durable'],
    /da-000000 was appended 1 ms later/,
    (run) => run.acknowledged.set('da-000000', { times: 1, firstAt: APPENDED_AT - 1 }),
  ],
  [
    'an event that is not acknowledged',
    ['never acknowledged'],
    /da-000000 was acknowledged 0 times of 1; it is at cxone.data.actions.high\/0\/0/,
    (run) => run.acknowledged.delete('da-000000'),
  ],
  [
    'one acknowledgement for two events with one id',
    ['never acknowledged'],
    /was acknowledged 1 times of 2/,
    (run) => {
      const [id, { firstAt }] = [...run.acknowledged].find(([, { times }]) => times === 2) as [
        string,
        { firstAt: number },
      ]
      run.acknowledged.set(id, { times: 1, firstAt })
    },
  ],
  [
    'a process that ended by itself',
    ['troubles'],
    /ended by itself/,
    (run) => {
      run.troubles = [{ at: 0, what: 'Headgate ended by itself.' }]
    },
  ],
])('%s is a violation', (_name, breaches, text, spoil) => {
  const run = perfectRun()
  spoil(run)
  expect(breachesOf(run).toSorted()).toEqual([...breaches].toSorted())
  const texts = judge(run).violations.map((violation) => violation.text)
  expect(texts.join('\n')).toMatch(text)
})

test('with an inbox, responses name places there, each with the record of its event', () => {
  const journal = createJournal(true)
  const run = perfectRun()
  const inbox = []
  for (let n = 0; n < EVENTS; n++) {
    const event = eventAt(n, 1, 'secret')
    const entry = journal.open(event)
    const { id, expected } = event
    if (expected.kind === 'rejected') {
      journal.settle(entry, { status: expected.status, body: { code: expected.code } })
      continue
    }
    const place = { topic: 'inbox', partition: 0, offset: n }
    inbox.push({ ...place, id })
    journal.settle(entry, { status: 200, body: { id, outcome: 'accepted', ...place } })
  }
  expect(breachesOf({ ...run, sent: journal.sent, inbox })).toEqual([])
  expect(breachesOf({ ...run, sent: journal.sent, inbox: inbox.slice(1) })).toEqual(['misrouted'])
})

test('a record of an event without a response is neither lost nor pending, but the missing response is a violation', () => {
  const run = perfectRun()
  const event = eventAt(EVENTS, 1, 'secret')
  run.journal.open(event)
  run.records.push(recordOf(event.id, event.expected as InTopic, EVENTS))
  expect(breachesOf(run)).toEqual(['never answered'])
})

test('two events with one id and other bytes are two events', () => {
  const run = perfectRun()
  const ids = run.sent.filter(isStored).map(({ id }) => id)
  expect(new Set(ids).size).toBeLessThan(ids.length)
  const shared = ids.find((id, at) => ids.indexOf(id) !== at)
  const twin = run.records.findIndex(({ id }) => id === shared)
  run.records.splice(twin, 1)
  expect(breachesOf(run)).toEqual(['lost'])
})

test('pending acknowledgements are known by id while events come in', () => {
  const { sent, acknowledged } = perfectRun()
  expect(unacknowledged(sent, acknowledged)).toEqual([])
  acknowledged.delete('da-000000')
  expect(unacknowledged(sent, acknowledged)).toEqual(['da-000000'])
})

test.each<[string, object, number]>([
  ['another id', { id: 'other', outcome: 'delivered' }, 200],
  ['another outcome', { outcome: 'dropped' }, 200],
  ['the status of a dead letter', { outcome: 'delivered' }, 202],
  ['a refusal', { code: 'HG_SCHEMA_VIOLATION' }, 422],
  ['an internal error', {}, 500],
])('a response with %s is a wrong one', (_name, body, status) => {
  const { journal, entry, event } = opened(0)
  journal.settle(entry, { status, body: { id: event.id, ...body } })
  const { violations } = judge({ sent: journal.sent, records: [], acknowledged: new Map(), troubles: [] })
  expect(violations.map(({ breach }) => breach)).toEqual(['wrong responses'])
})

test('a response of 503 settles nothing, and is no violation when a better one follows', () => {
  const { journal, entry, event } = opened(0)
  expect(journal.settle(entry, { status: 503, body: undefined })).toBe(false)
  const { topic, partition } = event.expected as InTopic
  const body = { id: event.id, outcome: 'delivered', topic, partition, offset: 0 }
  expect(journal.settle(entry, { status: 200, body })).toBe(true)
  expect([entry.wrong, entry.places]).toEqual([[], [`${topic}/${partition}/0`]])
})

function opened(n: number): { journal: Journal; entry: Sent; event: TortureEvent } {
  const journal = createJournal()
  const event = eventAt(n, 1, 'secret')
  return { journal, entry: journal.open(event), event }
}

const refused = ({ sent }: Observed): Sent => sent.find((entry) => !isStored(entry)) as Sent
