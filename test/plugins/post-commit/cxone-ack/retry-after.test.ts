import { expect, test } from 'vitest'
import { httpDate, retryAfter } from '../../../../src/plugins/post-commit/cxone-ack/retry-after.js'

const NOW = Date.UTC(1994, 10, 6, 8, 49, 0)
const MAX = 900_000
const DAY = 24 * 3_600_000

test.each([
  ['0', 0],
  ['120', 120_000],
  ['901', MAX],
  ['99999999999999999999', MAX],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 37_000],
  ['Sun Nov  6 08:49:37 1994', 37_000],
  ['Sat, 05 Nov 1994 08:49:37 GMT', 0],
  ['Mon, 07 Nov 1994 08:49:37 GMT', MAX],
])('%j asks for %i ms', (header, expected) => {
  expect(retryAfter({ retryAfter: header }, MAX, NOW)).toBe(expected)
})

test.each([
  ...[undefined, '', '-1', '1.5', '1e3', 'soon', '1994-11-06', 'Sun, 99 Foo 1994 08:49:37 GMT'],
  ...['Sun, 31 Feb 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 25:49:37 GMT', 'Sun, 06 Nov 1994 08:49:37 PST'],
])('%j asks for nothing', (header) => {
  expect(retryAfter({ retryAfter: header }, MAX, NOW)).toBeUndefined()
})

test.each([
  [['5', '120'], 120_000],
  [['soon', '7'], 7000],
  ['5, 120', 120_000],
  [' 120 ', 120_000],
])('of several waits the longest counts: %j', (header, expected) => {
  expect(retryAfter({ retryAfter: header }, MAX, NOW)).toBe(expected)
})

test('a date is compared with the clock of the server that wrote it, not with ours', () => {
  const headers = { retryAfter: 'Sun, 06 Nov 1994 08:49:37 GMT', date: 'Sun, 06 Nov 1994 08:49:27 GMT' }
  for (const ours of [NOW, NOW - 2 * DAY, NOW + 2 * DAY]) expect(retryAfter(headers, MAX, ours)).toBe(10_000)
  expect(retryAfter({ ...headers, date: 'yesterday' }, MAX, NOW)).toBe(37_000)
})

test('a year of two digits is never more than 50 years ahead', () => {
  expect(httpDate('Sunday, 06-Nov-60 08:49:37 GMT', Date.UTC(2026, 0))).toBe(Date.UTC(2060, 10, 6, 8, 49, 37))
  expect(httpDate('Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(2026, 0))).toBe(Date.UTC(1994, 10, 6, 8, 49, 37))
})
