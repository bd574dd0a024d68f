import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Consumer } from '../../../../../src/plugins/sink/kafka/log/consumer.js'
import { ConsumerPool, SharedConsumer } from '../../../../../src/plugins/sink/kafka/log/shared-consumers.js'
import { deferred } from '../../../../helpers/deferred.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function simulate() {
  const events: string[] = []
  const committing = { value: false }
  const open = vi.fn(async () => {
    const number = open.mock.calls.length
    events.push(`open ${number}`)
    return {
      committing: () => committing.value,
      close: async () => void events.push(`close ${number}`),
    } as Consumer
  })
  return { events, committing, open, shared: new SharedConsumer(open) }
}

test('is opened by the first task, serves one after the other, and is closed at the end', async () => {
  const { events, open, shared } = simulate()
  expect(open).not.toHaveBeenCalled()
  const gate = deferred()
  const first = shared.use(() => gate.promise.then(() => events.push('first')))
  const second = shared.use(async () => events.push('second'))
  const closed = shared.close()
  gate.resolve()
  await Promise.all([first, second, closed])
  expect(events).toEqual(['open 1', 'first', 'second', 'close 1'])
})

test('passes a failure on, and starts again with the next task', async () => {
  const { events, shared } = simulate()
  await expect(shared.use(() => Promise.reject(new Error('no response')))).rejects.toThrow('no response')
  expect(await shared.use(async () => 'response')).toBe('response')
  expect(events).toEqual(['open 1', 'close 1', 'open 2'])
  await shared.close()
})

test('goes on with a consumer that may yet commit, so that a later commit is not undone', async () => {
  const { events, committing, shared } = simulate()
  committing.value = true
  await expect(shared.use(() => Promise.reject(new Error('no response')))).rejects.toThrow('no response')
  await shared.use(async () => {})
  expect(events).toEqual(['open 1'])
  await shared.close()
})

test('tries to connect again if that failed', async () => {
  const { open, shared } = simulate()
  open.mockRejectedValueOnce(new Error('unreachable'))
  await expect(shared.use(async () => 1)).rejects.toThrow('unreachable')
  expect(await shared.use(async () => 1)).toBe(1)
  await shared.close()
})

test('keeps no connection that is not used', async () => {
  const { events, shared } = simulate()
  await shared.use(async () => {})
  await vi.advanceTimersByTimeAsync(59_000)
  await shared.use(async () => {})
  await vi.advanceTimersByTimeAsync(59_000)
  expect(events).toEqual(['open 1'])
  await vi.advanceTimersByTimeAsync(1000)
  expect(events).toEqual(['open 1', 'close 1'])
  await shared.use(async () => {})
  expect(events).toEqual(['open 1', 'close 1', 'open 2'])
  await shared.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('does nothing more once it is closed', async () => {
  const { open, shared } = simulate()
  await shared.close()
  await expect(shared.use(async () => {})).rejects.toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE' })
  expect(open).not.toHaveBeenCalled()
})

function simulatePool(limit: number) {
  const open = new Set<string>()
  const events: string[] = []
  let most = 0
  const pool = new ConsumerPool(async (group) => {
    open.add(group)
    most = Math.max(most, open.size)
    events.push(`open ${group}`)
    return { committing: () => false, close: async () => void open.delete(group) } as Consumer
  }, limit)
  return { pool, open, events, most: () => most }
}

test('60 groups take turns with two consumers', async () => {
  const { pool, open, most } = simulatePool(2)
  const groups = Array.from({ length: 60 }, (_, index) => `headgate.${index}`)
  const responses = await Promise.all(groups.map((group) => pool.use(group, async () => group)))
  expect(responses).toEqual(groups)
  expect(most()).toBe(2)
  await pool.close()
  expect(open.size).toBe(0)
})

test('a group that is asked for again finds its consumer open, and keeps its order', async () => {
  const { pool, events } = simulatePool(2)
  const done: number[] = []
  await Promise.all([1, 2, 3].map((number) => pool.use('a', async () => done.push(number))))
  await pool.use('b', async () => {})
  await pool.use('a', async () => {})
  expect(done).toEqual([1, 2, 3])
  expect(events).toEqual(['open a', 'open b'])
  await pool.close()
})

test('a request that fails does not stop those after it', async () => {
  const { pool } = simulatePool(1)
  const failed = pool.use('a', () => Promise.reject(new Error('no response')))
  const next = pool.use('b', async () => 'response')
  await expect(failed).rejects.toThrow('no response')
  expect(await next).toBe('response')
  await pool.close()
})
