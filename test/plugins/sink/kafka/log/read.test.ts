import type { Message } from 'node-rdkafka'
import { afterEach, expect, test, vi } from 'vitest'
import type { LoggedRecord } from '../../../../../src/contract/index.js'
import type { Batch, Consumer } from '../../../../../src/plugins/sink/kafka/log/consumer.js'
import { hasTail, type OffsetRange, readRanges } from '../../../../../src/plugins/sink/kafka/log/read.js'

afterEach(() => void vi.useRealTimers())

const never = new AbortController().signal

const message = (partition: number, offset: number, extra: Partial<Message> = {}): Message => ({
  topic: 'orders',
  partition,
  offset,
  value: null,
  size: 10,
  timestamp: 1000 + offset,
  ...extra,
})
const range = (partition: number, next: number, end: number): OffsetRange => ({
  topic: 'orders',
  partition,
  next,
  end,
})
const atEnd = (partition: number, offset: number) => ({ topic: 'orders', partition, offset })

function nothing(): Partial<Batch> {
  vi.advanceTimersByTime(100)
  return {}
}

/** A consumer that has these batches and then nothing, slowly. */
function consumerOf(...batches: Partial<Batch>[]) {
  const consumer = {
    assign: vi.fn<Consumer['assign']>(),
    consume: vi.fn(async (_count: number): Promise<Batch> => {
      const { messages = [], ends = [] } = batches.shift() ?? nothing()
      return { messages, ends }
    }),
  }
  return consumer as typeof consumer & Consumer
}

async function read(consumer: Consumer, ranges: OffsetRange[], signal = never): Promise<LoggedRecord[]> {
  const records: LoggedRecord[] = []
  await readRanges(consumer, ranges, (record) => records.push(record), signal)
  return records
}

test('reads each range to its end and leaves it there', async () => {
  const ranges = [range(0, 5, 7), range(1, 0, 1)]
  const consumer = consumerOf({ messages: [message(0, 5), message(1, 0)] }, { messages: [message(0, 6)] })
  const records = await read(consumer, ranges)
  expect(consumer.assign.mock.calls).toEqual([[[atEnd(0, 5), atEnd(1, 0)]]])
  expect(records.map(({ partition, offset, timestamp }) => [partition, offset, timestamp])).toEqual([
    [0, 5, 1005],
    [1, 0, 1000],
    [0, 6, 1006],
  ])
  expect(ranges.map(({ next }) => next)).toEqual([7, 1])
})

test('asks for nothing if nothing is to be read', async () => {
  const consumer = consumerOf()
  expect(await read(consumer, [range(0, 7, 7), range(1, 9, 3)])).toEqual([])
  expect(consumer.assign).not.toHaveBeenCalled()
  expect(consumer.consume).not.toHaveBeenCalled()
})

test('knows by the end of the partition that the last offsets have no records', async () => {
  const ranges = [range(0, 0, 10)]
  const consumer = consumerOf({ messages: [message(0, 2)] }, { ends: [atEnd(0, 10)] })
  expect(await read(consumer, ranges)).toHaveLength(1)
  expect(ranges[0]?.next).toBe(10)
})

test('is not deceived by an end that is not the one awaited', async () => {
  const consumer = consumerOf({ ends: [atEnd(0, 1)] }, { messages: [message(0, 1)] })
  expect(await read(consumer, [range(0, 1, 2)])).toHaveLength(1)
})

test('visits nothing twice if the consumer starts again', async () => {
  const consumer = consumerOf(
    { messages: [message(0, 3)] },
    { messages: [message(0, 0), message(0, 3), message(0, 4)] },
  )
  const records = await read(consumer, [range(0, 3, 5)])
  expect(records.map(({ offset }) => offset)).toEqual([3, 4])
})

test('gives up on a partition from which nothing comes, although another one goes on and on', async () => {
  vi.useFakeTimers()
  let offset = 0
  const consumer = consumerOf()
  consumer.consume.mockImplementation(async () => {
    vi.advanceTimersByTime(1000)
    return { messages: [message(0, offset++)], ends: [] }
  })
  await expect(read(consumer, [range(0, 0, 1), range(3, 0, 1)])).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
    message: expect.stringContaining('from partition 3 of topic "orders"'),
  })
})

test('ends when it is told to', async () => {
  const aborter = new AbortController()
  aborter.abort()
  await expect(read(consumerOf(), [range(0, 0, 1)], aborter.signal)).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
  })
})

test('takes few large records at a time, and many small ones', async () => {
  const large = { messages: [message(0, 0, { size: 1_000_000 })] }
  const small = { messages: [message(0, 1, { size: 1000 })] }
  const consumer = consumerOf(large, small, { ends: [atEnd(0, 9)] })
  await read(consumer, [range(0, 0, 9)])
  expect(consumer.consume.mock.calls).toEqual([[1], [4], [100]])
})

test('finds the first header of a name, and none if there is none', async () => {
  const headers = [{ id: Buffer.from('e-1') }, { empty: Buffer.alloc(0) }, { id: Buffer.from('other') }]
  const [record, bare] = await read(consumerOf({ messages: [message(0, 0, { headers }), message(0, 1)] }), [
    range(0, 0, 2),
  ])
  expect(record?.header('id')).toBe('e-1')
  expect(record?.header('empty')).toBe('')
  expect(record?.header('no')).toBeUndefined()
  expect(bare?.header('id')).toBeUndefined()
})

const READ = [
  { topic: 'orders', partition: 0, next: 7, end: 7 },
  { topic: 'orders', partition: 1, next: 0, end: 0 },
]

test('asks for the offset after the next one; the end at the next one proves that there is nothing', async () => {
  const consumer = consumerOf({ ends: [atEnd(1, 0)] }, { ends: [atEnd(0, 7)] })
  expect(await hasTail(consumer, READ, never)).toBe(false)
  expect(consumer.assign.mock.calls).toEqual([[[atEnd(0, 8), atEnd(1, 1)]]])
})

test.each<[string, Partial<Batch>]>([
  ['an end further on', { ends: [atEnd(0, 8)] }],
  ['a record', { messages: [{ ...atEnd(0, 8), value: null, size: 0 } satisfies Message] }],
])('takes %s for a tail', async (_, batch) => {
  expect(await hasTail(consumerOf({ ends: [atEnd(1, 0)] }, batch), READ, never)).toBe(true)
})

test('takes an end before the position for a log that lost records, not for a tail', async () => {
  expect(await hasTail(consumerOf({ ends: [atEnd(0, 3), atEnd(1, 0)] }), READ, never)).toBe(false)
})

test('does not decide while a broker says neither, and names the partition', async () => {
  vi.useFakeTimers()
  await expect(hasTail(consumerOf({ ends: [atEnd(1, 0)] }), READ, never)).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
    message: expect.stringMatching(/replicas have not confirmed .* partition 0 of topic "orders"\.$/),
  })
})

test('the check for a tail ends when it is told to', async () => {
  await expect(hasTail(consumerOf(), READ, AbortSignal.abort())).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
  })
})
