import fc from 'fast-check'
import { expect, test } from 'vitest'
import { retryAfter } from '../../../../src/plugins/post-commit/cxone-ack/retry-after.js'

const NOW = Date.UTC(1994, 10, 6, 8, 49, 0)
const MAX = 900_000

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
  expect(retryAfter(header, MAX, NOW)).toBe(expected)
})

test.each([undefined, '', '-1', '1.5', 'soon', '1994-11-06', 'Sun, 99 Foo 1994 08:49:37 GMT'])(
  '%j asks for nothing',
  (header) => {
    expect(retryAfter(header, MAX, NOW)).toBeUndefined()
  },
)

test('whatever a header holds, the wait lies between 0 and the maximum', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.nat().map(String),
  )
  fc.assert(
    fc.property(texts, (header) => {
      const wait = retryAfter(header, MAX, NOW) ?? 0
      expect(wait >= 0 && wait <= MAX).toBe(true)
    }),
  )
})
