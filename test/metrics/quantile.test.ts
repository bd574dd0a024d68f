import { expect, test } from 'vitest'
import { quantile } from '../../src/metrics/quantile.js'

const BOUNDS = [1, 2, 4]

test.each([
  ['half of one bucket', 0.5, [0, 10, 0, 0], 1.5],
  ['the first bucket begins at 0', 0.5, [10, 0, 0, 0], 0.5],
  ['empty buckets are skipped', 0.99, [0, 0, 100, 0], 3.98],
  ['beyond the last bound there is only that bound', 0.99, [1, 0, 0, 99], 4],
])('%s', (_title, q, counts, expected) => {
  expect(quantile(q, BOUNDS, counts)).toBeCloseTo(expected)
})

test('without observations there is none', () => {
  expect(quantile(0.5, BOUNDS, [0, 0, 0, 0])).toBeUndefined()
})
