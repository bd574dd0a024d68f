import fc from 'fast-check'
import { expect, test } from 'vitest'
import { httpDate, retryAfter } from '../../src/plugins/post-commit/cxone-ack/retry-after.js'
import { decodeContent, readGrant } from '../../src/plugins/post-commit/cxone-ack/token-request.js'
import { runs } from './runs.js'

const MAX = 900_000
const NOW = Date.UTC(2026, 10, 29)

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (number: number): string => String(number).padStart(2, '0')

/** A moment in each of the three forms that a date in HTTP has. */
function forms(date: Date): string[] {
  const day = DAYS[date.getUTCDay()] ?? ''
  const month = MONTHS[date.getUTCMonth()] ?? ''
  const year = date.getUTCFullYear()
  const time = date.toISOString().slice(11, 19)
  const ofMonth = date.getUTCDate()
  return [
    `${day.slice(0, 3)}, ${two(ofMonth)} ${month} ${year} ${time} GMT`,
    `${day}, ${two(ofMonth)}-${month}-${two(year % 100)} ${time} GMT`,
    `${day.slice(0, 3)} ${month} ${String(ofMonth).padStart(2)} ${time} ${year}`,
  ]
}

const moments = fc
  .date({ noInvalidDate: true, min: new Date(Date.UTC(1980, 0)), max: new Date(Date.UTC(2070, 0)) })
  .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000))

test('each of the three forms of a date in HTTP is the moment that it was made of', () => {
  fc.assert(
    fc.property(moments, (date) => {
      for (const form of forms(date)) expect(httpDate(form, NOW)).toBe(date.getTime())
    }),
    runs(300),
  )
})

test('a Retry-After is waited for as long as it says, within the bounds, and anything else is no wait', () => {
  const dates = moments.chain((date) => fc.constantFrom(...forms(date)))
  const values = fc.oneof(
    ...[fc.string({ unit: 'binary' }), dates, fc.bigInt().map(String), fc.double().map(String)],
    dates.chain((date) => fc.nat(date.length).map((at) => date.slice(0, at))),
    fc.constantFrom('', ' ', '0', '-0', '-1', '+1', '1e9', '0x10', '١٢', '9'.repeat(400), '1, 2', ',', '1,'),
  )
  fc.assert(
    fc.property(fc.oneof(values, fc.array(values)), fc.option(values, { nil: undefined }), (header, date) => {
      const wait = retryAfter({ retryAfter: header, date }, MAX, NOW)
      if (wait !== undefined) expect(wait >= 0 && wait <= MAX).toBe(true)
    }),
    runs(1000),
  )
  fc.assert(
    fc.property(fc.nat(2_000_000), (seconds) => {
      expect(retryAfter({ retryAfter: String(seconds) }, MAX, NOW)).toBe(Math.min(seconds * 1000, MAX))
    }),
    runs(200),
  )
})

test('a token response is a token with a sensible lifetime, or an error that tells nothing of what came', () => {
  const type = fc.oneof(fc.constantFrom('Bearer', 'bearer', 'BearerToken', '', null, 'mac'), fc.anything())
  const lifetime = fc.oneof(
    ...[fc.double(), fc.double().map(String), fc.bigInt().map(String), fc.string(), fc.anything()],
  )
  const token = fc.oneof(
    fc.constant('canary-1'),
    fc.string().map((text) => `canary-${text}`),
    fc.anything(),
  )
  const bodies = fc.oneof(
    fc
      .record({ access_token: token, token_type: type, expires_in: lifetime }, { requiredKeys: [] })
      .map((record) =>
        Buffer.from(JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? null : value))),
      ),
    fc.json().map((json) => Buffer.from(`\ufeff${json}`)),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  )
  const codings = fc.option(fc.oneof(fc.constantFrom('gzip', 'br', 'deflate', 'identity'), fc.string()), {
    nil: undefined,
  })
  fc.assert(
    fc.property(bodies, codings, (body, contentEncoding) => {
      try {
        const { accessToken, lifetime: ms = 1 } = readGrant({
          status: 200,
          retryAfter: undefined,
          body,
          contentEncoding,
        })
        expect(accessToken).toMatch(/^[!-~]+$/)
        expect(ms > 0 && ms <= 366 * 24 * 3_600_000).toBe(true)
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'HG_ACK_TOKEN' })
        expect(String(thrown)).not.toContain('canary')
      }
    }),
    runs(1000),
  )
})

test('what is decoded never has more bytes than the limit', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom('gzip', 'deflate', 'br', 'gzip, br'), (bytes, coding) => {
      try {
        expect(decodeContent(Buffer.from(bytes), coding, 64).length).toBeLessThanOrEqual(64)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(TypeError)
      }
    }),
    runs(500),
  )
})
