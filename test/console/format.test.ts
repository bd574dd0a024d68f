import { expect, test } from 'vitest'
import { count, duration, plural, rate } from '../../console/src/format.js'

test.each([
  [0, '0'],
  [0.02, '< 0.1'],
  [4.25, '4.3'],
  [9.97, '10'],
  [1234.5, '1,235'],
  [250_000, '250K'],
])('a rate of %d is shown as %s', (value, expected) => {
  expect(rate(value)).toBe(expected)
})

test.each([
  [0.4, '< 1 ms'],
  [4.26, '4.3 ms'],
  [240, '240 ms'],
  [2500, '2.5 s'],
  [75_000, '75 s'],
  [600_000, '10 min'],
  [8 * 3_600_000, '8 h'],
])('%d ms are shown as %s', (ms, expected) => {
  expect(duration(ms).replaceAll('\u00a0', ' ')).toBe(expected)
})

test('counts have separators, and their noun its number', () => {
  expect([count(12_345), plural(1, 'event'), plural(2000, 'event')]).toEqual([
    '12,345',
    '1 event',
    '2,000 events',
  ])
})
