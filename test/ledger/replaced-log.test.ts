import { expect, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { type MemoryLog, unreachable } from '../helpers/kafka/memory-log.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger, type TestLedger } from './setup.js'

/** The topic is deleted and created again, or the address leads to another cluster. */
function recreate(kafka: MemoryLog, identity = 'another'): void {
  kafka.records.length = 0
  kafka.committed = undefined
  if (kafka.identity !== undefined) kafka.identity = identity
}
const LOST = expect.objectContaining({ message: expect.stringContaining('the log has been replaced') })

async function dueIds(opened: TestLedger): Promise<string[]> {
  const ids: string[] = []
  for (let due = opened.due(); due !== undefined; due = opened.due()) {
    ids.push(due.committed.id)
    opened.ledger.acknowledged(due)
  }
  return ids
}

test('an event of a topic that was replaced while running is never a duplicate: it is written again', async () => {
  const { take, kafka, ledger, lines } = await openLedger()
  await take(eventOf('a'))
  recreate(kafka)
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'unavailable' })
  await ledger.ready()
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered', receipt: { offset: 0 } })
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 0 } })
  expect(lines).toContainEqual(LOST)
  expect(ledger.backlog().replacedPartitions).toBe(1)
})

test('an event of a topic that was replaced while stopped, or that another cluster has, is written again', async () => {
  for (const inOrder of [true, false]) {
    const before = await openLedger()
    await before.take(eventOf('a'))
    await before.take(eventOf('b'))
    await before.ledger.refill()
    const directory = inOrder ? before.directory : await before.crash()
    await before.stop()
    recreate(before.kafka)
    // As many records as before: only its identity tells that it is another log.
    before.kafka.append('x', 'x', 'somebody else')
    before.kafka.append('b', 'y', 'somebody else')
    const { take, lines } = await openLedger({ directory, kafka: before.kafka })
    expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered' })
    expect(await take(eventOf('b'))).toMatchObject({ kind: 'delivered' })
    if (inOrder) expect(lines).toContainEqual(LOST)
  }
})

test('if the identity of a topic is not available, another record at the offset of an indexed one shows that it was replaced', async () => {
  const before = await openLedger()
  before.kafka.identity = undefined
  await before.take(eventOf('a'))
  await before.stop()
  const same = await openLedger(before)
  expect(await same.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
  await same.stop()
  recreate(before.kafka)
  before.kafka.append('x', 'x')
  const { take, lines } = await openLedger(before)
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered', receipt: { offset: 1 } })
  expect(lines).toContainEqual(LOST)
})

test('a partition that ends before its checkpoint, also after a while, loses its events, running or stopped', async () => {
  const LATER = { timeout: 10_000 }
  const before = await openLedger()
  before.kafka.identity = undefined
  for (const id of ['a', 'b', 'c']) await before.take(eventOf(id))
  await before.ledger.refill()
  before.kafka.records.length = 1
  expect(await before.take(eventOf('c'))).toMatchObject({ kind: 'unavailable' })
  await vi.waitFor(() => expect(before.ledger.notReady()).toEqual([]), LATER)
  expect(await before.take(eventOf('c'))).toMatchObject({ kind: 'delivered', receipt: { offset: 1 } })
  expect(await before.take(eventOf('a'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 0 } })
  await before.stop()
  before.kafka.records.length = 0
  const after = await openLedger(before)
  await vi.waitFor(() => expect(after.ledger.notReady()).toEqual([]), LATER)
  expect(await after.take(eventOf('a'))).toMatchObject({ kind: 'delivered', receipt: { offset: 0 } })
})

test('a record that is reported below indexed ones reveals another log', async () => {
  const opening = await openLedger()
  const { take, kafka, ledger } = opening
  for (const id of ['a', 'b', 'c']) await take(eventOf(id))
  await ledger.refill()
  await new Promise((resolve) => setTimeout(resolve, 600))
  recreate(kafka)
  expect(await take(eventOf('d'))).toMatchObject({ kind: 'delivered', receipt: { offset: 0 } })
  await ledger.ready()
  expect(await take(eventOf('d'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 0 } })
  // The events of the deleted topic were durable when their senders were told so.
  expect((await dueIds(opening)).sort()).toEqual(['a', 'b', 'c', 'd'])
})

test('pending acknowledgements of a topic that was replaced, and of the new one, survive a crash', async () => {
  const before = await openLedger()
  const old = Array.from({ length: 10 }, (_, n) => `old-${n}`)
  for (const id of old) await before.take(eventOf(id))
  await before.stop()
  recreate(before.kafka)
  const between = await openLedger(before)
  const fresh = Array.from({ length: 10 }, (_, n) => `new-${n}`)
  for (const id of fresh) await between.take(eventOf(id))
  await new Promise((resolve) => setTimeout(resolve, 600))
  const after = await openLedger({ directory: await between.crash(), kafka: before.kafka })
  expect((await dueIds(after)).sort()).toEqual([...fresh, ...old].sort())
})

test('while the topic is missing, or Kafka is unreachable, no event is a duplicate', async () => {
  const { take, kafka, ledger } = await openLedger()
  await take(eventOf('a'))
  kafka.down = unreachable
  expect(await take(eventOf('a'))).toMatchObject({
    kind: 'unavailable',
    error: { code: 'HG_KAFKA_UNAVAILABLE' },
  })
  expect(ledger.notReady()).toEqual([])
  kafka.down = new HeadgateError('HG_KAFKA_TOPIC_MISSING', 'Topic "events" does not exist.')
  expect(await take(eventOf('a'))).toMatchObject({
    kind: 'unavailable',
    error: { code: 'HG_KAFKA_TOPIC_MISSING' },
  })
  expect(ledger.notReady()).toEqual(['Topic "events" does not exist.'])
  kafka.down = undefined
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
  expect(ledger.notReady()).toEqual([])
})

test('the ledger looks for a missing topic again by itself, and is not ready', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  const { kafka, ledger } = await openLedger()
  kafka.down = new HeadgateError('HG_KAFKA_TOPIC_MISSING', 'Topic "events" does not exist.')
  await vi.advanceTimersByTimeAsync(5000)
  await vi.waitFor(() => expect(ledger.notReady()).toEqual(['Topic "events" does not exist.']))
  vi.useRealTimers()
})

test('an event whose record has expired is still a duplicate', async () => {
  const { take, kafka } = await openLedger()
  const first = await take(eventOf('a'))
  const partitions = kafka.partitions
  kafka.partitions = async (also) => (await partitions(also)).map((at) => ({ ...at, start: at.end }))
  expect(await take(eventOf('a'))).toEqual({ ...first, kind: 'duplicate' })
})

test('many redeliveries at once share the requests to the cluster', async () => {
  const { take, kafka } = await openLedger()
  await take(eventOf('a'))
  const identify = vi.spyOn(kafka, 'identify')
  const outcomes = await Promise.all(Array.from({ length: 1000 }, () => take(eventOf('a'))))
  expect(outcomes.every(({ kind }) => kind === 'duplicate')).toBe(true)
  expect(identify.mock.calls.length).toBeLessThan(3)
})
