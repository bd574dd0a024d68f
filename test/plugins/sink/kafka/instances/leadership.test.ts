import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Leadership, REBALANCE, SESSION } from '../../../../../src/plugins/sink/kafka/instances/leadership.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const leading = () => {
  const onExpired = vi.fn()
  const leadership = new Leadership(onExpired)
  leadership.begin()
  leadership.confirm(performance.now(), true)
  return { leadership, onExpired }
}

test('a leader is certain for a session after the last heartbeat, and then says so once', () => {
  const { leadership, onExpired } = leading()
  vi.advanceTimersByTime(SESSION - 1)
  expect(leadership.isCertain()).toBe(true)
  leadership.confirm(performance.now(), true)
  vi.advanceTimersByTime(SESSION - 1)
  expect(leadership.isCertain()).toBe(true)
  expect(onExpired).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(leadership.isCertain()).toBe(false)
  expect(onExpired).toHaveBeenCalledTimes(1)
})

test('while others join, it is certain no longer than Kafka waits for it to join too', () => {
  const { leadership } = leading()
  const until = performance.now() + REBALANCE
  while (performance.now() < until - 1000) {
    vi.advanceTimersByTime(1000)
    leadership.confirm(performance.now(), false)
    expect(leadership.isCertain()).toBe(true)
  }
  vi.advanceTimersByTime(1000)
  leadership.confirm(performance.now(), false)
  expect(leadership.isCertain()).toBe(false)
})

test('it is not certain before Kafka has chosen it, or after it has given up', () => {
  const other = new Leadership(() => {})
  other.confirm(performance.now(), true)
  expect(other.isCertain()).toBe(false)
  const { leadership, onExpired } = leading()
  leadership.end()
  vi.advanceTimersByTime(SESSION * 2)
  expect(leadership.isCertain()).toBe(false)
  expect(onExpired).not.toHaveBeenCalled()
})

test('it leads since Kafka has first chosen it, until it has given up', () => {
  const leadership = new Leadership(() => {})
  leadership.begin('2026-01-01T00:00:00.000Z')
  leadership.begin()
  expect(leadership.since).toBe('2026-01-01T00:00:00.000Z')
  leadership.end()
  expect([leadership.since, leadership.isLeader]).toEqual([undefined, false])
})
