import { expect, test } from 'vitest'
import { formatSpread, spread } from '../../bench/statistics.js'

test('of an even number of rounds the median lies between the two in the middle', () => {
  expect(spread([10, 40, 20, 30])).toEqual({ median: 25, min: 10, max: 40 })
})

test('a spread is written with its bounds, and without them where there is only one value', () => {
  expect(formatSpread(spread([1.2, 1.4]), 2)).toBe('1.30 (1.20-1.40)')
  expect(formatSpread(spread([7]), 1)).toBe('7.0')
})
