import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Polling } from '../../../../../src/plugins/sink/kafka/producer/producer.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('polls every millisecond while something is awaited, and rarely otherwise', () => {
  const poll = vi.fn()
  let awaited = false
  const polling = new Polling(poll, () => awaited)
  vi.advanceTimersByTime(1000)
  expect(poll).toHaveBeenCalledTimes(4)
  awaited = true
  polling.wake()
  polling.wake()
  vi.advanceTimersByTime(100)
  expect(poll).toHaveBeenCalledTimes(104)
  awaited = false
  vi.advanceTimersByTime(501)
  expect(poll).toHaveBeenCalledTimes(107)
  polling.stop()
  expect(vi.getTimerCount()).toBe(0)
})
