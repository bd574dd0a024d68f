import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLatencies, createTally } from '../../../bench/load/tally.js'

test('quantiles are within half a percent of those of the sorted values', () => {
  const milliseconds = fc.array(fc.double({ min: 0.002, max: 100_000, noNaN: true }), { minLength: 1 })
  fc.assert(
    fc.property(milliseconds, fc.constantFrom(0.5, 0.99, 0.999), (values, q) => {
      const latencies = createLatencies()
      for (const value of values) latencies.record(value)
      const sorted = values.toSorted((a, b) => a - b)
      const exact = sorted[Math.ceil(q * values.length) - 1] ?? Number.NaN
      expect(latencies.quantile(q) / exact).toBeGreaterThan(0.994)
      expect(latencies.quantile(q) / exact).toBeLessThan(1.006)
    }),
  )
})

test('what is too short or too long for its buckets is counted all the same', () => {
  const latencies = createLatencies()
  for (const value of [0, -1, 1e12]) latencies.record(value)
  expect(latencies.count).toBe(3)
  expect(latencies.quantile(0.5)).toBeLessThan(0.01)
  expect(latencies.quantile(0.99)).toBeGreaterThan(100_000)
})

test('there is no quantile of nothing', () => {
  expect(createLatencies().quantile(0.5)).toBeNaN()
})

test('a request counts with all of its events, and its latency once', () => {
  const tally = createTally(10)
  for (const milliseconds of [1, 1, 100]) tally.answered('200', milliseconds)
  tally.answered('503', 1)
  const { delivered, refused, p50 } = tally.result()
  expect(tally.delivered()).toBe(30)
  expect({ delivered, refused }).toEqual({ delivered: 30, refused: { 503: 1 } })
  expect(p50).toBeCloseTo(1, 1)
})
