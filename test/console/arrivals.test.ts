import { expect, onTestFinished, test, vi } from 'vitest'
import { Arrivals } from '../../console/src/events/arrivals.js'

/** Its time passes only when a test says so. */
function startArrivals() {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const given: (readonly string[])[] = []
  const arrivals = new Arrivals<string>((values) => given.push(values))
  return { arrivals, given }
}

test('values that come within a moment are given on together', () => {
  const { arrivals, given } = startArrivals()
  arrivals.add('a')
  arrivals.add('b')
  expect(given).toEqual([])
  vi.runAllTimers()
  arrivals.add('c')
  vi.runAllTimers()
  expect(given).toEqual([['a', 'b'], ['c']])
})

test('a flush gives on what has come, once', () => {
  const { arrivals, given } = startArrivals()
  arrivals.flush()
  arrivals.add('a')
  arrivals.flush()
  vi.runAllTimers()
  expect(given).toEqual([['a']])
})

test('dropped values are not given on, those that come later are', () => {
  const { arrivals, given } = startArrivals()
  arrivals.add('a')
  arrivals.drop()
  vi.runAllTimers()
  expect(given).toEqual([])
  arrivals.add('b')
  vi.runAllTimers()
  expect(given).toEqual([['b']])
})
