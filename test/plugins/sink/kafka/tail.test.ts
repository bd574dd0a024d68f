import type { Message } from 'node-rdkafka'
import { afterEach, expect, test, vi } from 'vitest'
import type { Batch, Consumer } from '../../../../src/plugins/sink/kafka/consumer.js'
import { hasTail } from '../../../../src/plugins/sink/kafka/tail.js'

afterEach(() => void vi.useRealTimers())

const never = new AbortController().signal
const at = (partition: number, offset: number) => ({ topic: 'orders', partition, offset })
const STRETCHES = [
  { topic: 'orders', partition: 0, next: 7, end: 7 },
  { topic: 'orders', partition: 1, next: 0, end: 0 },
]

function nothing(): Partial<Batch> {
  vi.advanceTimersByTime(100)
  return {}
}

function consumerOf(...batches: Partial<Batch>[]) {
  const consumer = {
    assign: vi.fn<Consumer['assign']>(),
    consume: vi.fn(async (): Promise<Batch> => {
      const { messages = [], ends = [] } = batches.shift() ?? nothing()
      return { messages, ends }
    }),
  }
  return consumer as typeof consumer & Consumer
}

test('asks for the offset after the next one; the end at the next one proves that there is nothing', async () => {
  const consumer = consumerOf({ ends: [at(1, 0)] }, { ends: [at(0, 7)] })
  expect(await hasTail(consumer, STRETCHES, never)).toBe(false)
  expect(consumer.assign.mock.calls).toEqual([[[at(0, 8), at(1, 1)]]])
})

test.each<[string, Partial<Batch>]>([
  ['an end further on', { ends: [at(0, 8)] }],
  ['a record', { messages: [{ ...at(0, 8), value: null, size: 0 } satisfies Message] }],
])('takes %s for a tail', async (_, batch) => {
  expect(await hasTail(consumerOf({ ends: [at(1, 0)] }, batch), STRETCHES, never)).toBe(true)
})

test('takes an end before the position for a log that lost records, not for a tail', async () => {
  expect(await hasTail(consumerOf({ ends: [at(0, 3), at(1, 0)] }), STRETCHES, never)).toBe(false)
})

test('does not decide while a broker says neither, and names the partition', async () => {
  vi.useFakeTimers()
  await expect(hasTail(consumerOf({ ends: [at(1, 0)] }), STRETCHES, never)).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
    message: expect.stringMatching(/replicas have not confirmed .* partition 0 of topic "orders"\.$/),
  })
})

test('ends when it is told to', async () => {
  await expect(hasTail(consumerOf(), STRETCHES, AbortSignal.abort())).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
  })
})
