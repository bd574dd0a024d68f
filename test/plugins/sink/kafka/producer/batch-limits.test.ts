import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Batched, BatchLimits } from '../../../../../src/plugins/sink/kafka/producer/batch-limits.js'

const BATCH = 65_536

interface TestRecord extends Batched {
  readonly id: number
  readonly bytes: number
}

/** A client that puts all records in flight into one batch, and a broker that refuses batches above `limit`. */
function topicOf(limit: number, batchSize = BATCH) {
  const inFlight = new Set<TestRecord>()
  const batch: TestRecord[] = []
  const written: number[] = []
  const tooLarge: number[] = []
  const lowered: number[] = []
  const state = { limit, refusals: 0 }
  const limits = new BatchLimits<TestRecord>({
    batchSize,
    bytesOf: ({ bytes }) => bytes,
    send: (record) => batch.push(record),
    lowered: (_topic, bytes) => lowered.push(bytes),
  })
  const send = (id: number, bytes: number, topic = 'orders') => {
    const record: TestRecord = { id, bytes, topic, share: undefined }
    inFlight.add(record)
    if (limits.admit(record)) batch.push(record)
  }
  /** As librdkafka does it: a batch is full before the record with which it would be too large, and has at least one. */
  function nextBatch(): TestRecord[] {
    const next: TestRecord[] = []
    let bytes = 0
    for (const record of batch) {
      if (next.length > 0 && bytes + record.bytes > batchSize) break
      bytes += record.bytes
      next.push(record)
    }
    batch.splice(0, next.length)
    return next
  }
  function deliver(): void {
    while (batch.length > 0) {
      const next = nextBatch()
      const refused = next.reduce((sum, { bytes }) => sum + bytes, 0) > state.limit
      if (refused) state.refusals++
      for (const record of next) {
        if (refused && limits.refused(record, inFlight)) continue
        inFlight.delete(record)
        limits.ended(record)
        ;(refused ? tooLarge : written).push(record.id)
      }
    }
  }
  return { send, deliver, limits, inFlight, written, tooLarge, lowered, state }
}

test('sends records refused in a large batch again in smaller ones, in their order', () => {
  const topic = topicOf(20_000)
  for (let id = 0; id < 60; id++) topic.send(id, 2000)
  topic.deliver()
  expect(topic.written.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, id) => id))
  expect(topic.tooLarge).toEqual([])
  expect(topic.lowered).toEqual([32_768, 16_384])
  for (let id = 100; id < 200; id++) topic.send(id, 2000)
  topic.deliver()
  expect(topic.written.slice(60)).toEqual(Array.from({ length: 100 }, (_, id) => 100 + id))
  expect(topic.lowered).toHaveLength(2)
})

test('gives up only a record that was refused alone, and does not lower the limit for it', () => {
  const topic = topicOf(20_000)
  for (let id = 0; id < 40; id++) topic.send(id, id === 20 ? 30_000 : 2000)
  topic.deliver()
  expect(topic.tooLarge).toEqual([20])
  expect(topic.written).toHaveLength(39)
  expect(topic.lowered.at(-1)).toBe(16_384)
})

test('gives up at once a record so large that the client has sent it alone', () => {
  const topic = topicOf(20_000)
  topic.send(1, BATCH)
  topic.deliver()
  expect([topic.tooLarge, topic.lowered, topic.state.refusals]).toEqual([[1], [], 1])
})

test('does the same when the limit is lowered while it runs', () => {
  const topic = topicOf(1_000_000)
  for (let id = 0; id < 100; id++) topic.send(id, 1000)
  topic.deliver()
  expect(topic.lowered).toEqual([])
  topic.state.limit = 1500
  for (let id = 100; id < 200; id++) topic.send(id, 1000)
  topic.deliver()
  expect(topic.written).toHaveLength(200)
  expect(topic.lowered.at(-1)).toBe(1024)
})

test('leaves other topics alone, and forgets all of it when it is told so', () => {
  const topic = topicOf(20_000)
  for (let id = 0; id < 30; id++) topic.send(id, 2000)
  topic.deliver()
  const other: TestRecord = { id: 99, bytes: 60_000, topic: 'other', share: undefined }
  expect(topic.limits.admit(other)).toBe(true)
  topic.limits.ended(other)
  topic.limits.clear()
  expect(topic.limits.admit({ ...other, topic: 'orders' })).toBe(true)
})

test('writes every record that fits, refuses every one that does not, and comes to an end', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 80 })
  fc.assert(
    fc.property(sizes, sizes, fc.integer({ min: 100, max: 80_000 }), (first, second, limit) => {
      const topic = topicOf(limit)
      for (const [id, bytes] of first.entries()) topic.send(id, bytes)
      topic.deliver()
      for (const [id, bytes] of second.entries()) topic.send(1000 + id, bytes)
      topic.deliver()
      const all = [...first.entries(), ...[...second.entries()].map(([id, bytes]) => [1000 + id, bytes])]
      const fitting = all.flatMap(([id = 0, bytes = 0]) => (bytes <= limit ? [id] : []))
      expect(topic.written.toSorted((a, b) => a - b)).toEqual(fitting.toSorted((a, b) => a - b))
      expect(topic.tooLarge).toHaveLength(all.length - fitting.length)
      expect(topic.inFlight.size).toBe(0)
    }),
  )
})
