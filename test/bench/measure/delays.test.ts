import { expect, test } from 'vitest'
import { delaysIn, quantile, since, together } from '../../../bench/measure/delays.js'

const bucket = (bound: string, count: number) =>
  `headgate_inbox_delay_seconds_bucket{pipeline="orders",le="${bound}"} ${count}`
const page = (counts: readonly [string, number][]) =>
  ['headgate_inbox_delay_seconds_sum{pipeline="orders"} 1', ...counts.map((each) => bucket(...each))].join(
    '\n',
  )

test('a quantile lies within its bucket, in proportion', () => {
  const delays = delaysIn(
    page([
      ['0.01', 10],
      ['0.02', 90],
      ['+Inf', 100],
    ]),
  )
  expect(quantile(delays, 0.5)).toBeCloseTo(15)
  expect(quantile(delays, 0.1)).toBeCloseTo(10)
  expect(quantile(delays, 0.99)).toBe(20)
  expect(quantile(new Map(), 0.5)).toBeNaN()
})

test('the buckets of instances add up, and what was before does not count', () => {
  const before = delaysIn(
    page([
      ['0.01', 1],
      ['+Inf', 2],
    ]),
  )
  const now = delaysIn(
    page([
      ['0.01', 4],
      ['+Inf', 8],
    ]),
  )
  expect(since(before, together(now, now))).toEqual(
    new Map([
      [0.01, 7],
      [Number.POSITIVE_INFINITY, 14],
    ]),
  )
})
