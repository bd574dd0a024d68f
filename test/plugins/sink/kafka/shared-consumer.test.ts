import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Consumer } from '../../../../src/plugins/sink/kafka/consumer.js'
import { createSharedConsumer } from '../../../../src/plugins/sink/kafka/shared-consumer.js'
import { deferred } from '../../../helpers/deferred.js'

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
  return { events, committing, open, shared: createSharedConsumer(open) }
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

test('hands a failure on, and begins anew with the next task', async () => {
  const { events, shared } = simulate()
  await expect(shared.use(() => Promise.reject(new Error('no answer')))).rejects.toThrow('no answer')
  expect(await shared.use(async () => 'answer')).toBe('answer')
  expect(events).toEqual(['open 1', 'close 1', 'open 2'])
  await shared.close()
})

test('goes on with a consumer that may yet commit, so that a later commit is not undone', async () => {
  const { events, committing, shared } = simulate()
  committing.value = true
  await expect(shared.use(() => Promise.reject(new Error('no answer')))).rejects.toThrow('no answer')
  await shared.use(async () => {})
  expect(events).toEqual(['open 1'])
  await shared.close()
})

test('tries to connect again where that failed', async () => {
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
