import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { RefusedRequest } from '../../src/http/refused.js'
import type { MaskPath } from '../../src/lib/json/masked.js'
import { refusedLine } from '../../src/tap/refused.js'

const GZIP = { 'content-encoding': 'gzip' }
const SECRETS = new Map([['the-secret-of-it', '${env:SECRET}']])

/** The line of a request that was refused for `message`. */
function lineOf(
  request: Partial<RefusedRequest> & { readonly text?: string },
  masksOf: ReadonlyMap<string, readonly MaskPath[]> = new Map([['orders', [['card']]]]),
) {
  const { text, ...more } = request
  const refused: RefusedRequest = {
    at: Date.UTC(2026, 0),
    pipeline: 'orders',
    method: 'POST',
    path: '/in',
    status: 422,
    code: 'HG_SCHEMA_VIOLATION',
    message: 'card 4111-1111 is no number',
    violations: [{ pointer: '/card', message: 'is "4111-1111"' }],
    requestId: 'request',
    remoteAddress: '127.0.0.1',
    headers: { 'user-agent': 'sender' },
    bytes: text?.length,
    body: text === undefined ? undefined : Buffer.from(text),
    ...more,
  }
  return refusedLine({ number: 1, refused }, { payload: 100, masksOf, secrets: SECRETS })
}

test('masked values are replaced in the body, the message and the places', () => {
  const line = lineOf({ text: '{"card": "4111-1111", "id": 1}' })
  expect(line).toMatchObject({
    message: 'card *** is no number',
    violations: [{ pointer: '/card', message: 'is "***"' }],
    payload: '{"card":"***","id":1}',
  })
  expect(JSON.stringify(line)).not.toContain('4111')
})

test.each([
  ['is not JSON', { text: '{"card": "4111-1111"' }, 'not JSON'],
  ['is too long to be kept', { bytes: 100_000 }, 'longer than what is kept'],
  ['says that it is gzip', { text: '\u001f\u008b', headers: GZIP }, 'compression (gzip) cannot be undone'],
  ['is not UTF-8', { body: Buffer.from('{"card": "4111-\u00ff"}', 'latin1'), bytes: 17 }, 'not JSON'],
  ['has another compression', { text: '4111', headers: { 'content-encoding': 'br' } }, 'compression (br)'],
])(
  'of a pipeline with masks, a body that %s is not shown, and only the meaning of its code',
  (_, more, why) => {
    const line = lineOf(more)
    expect(line.message).toBe('The event does not match the JSON Schema.')
    expect(line.unshown).toContain(why)
    expect(JSON.stringify(line)).not.toContain('4111')
  },
)

test('nothing of a body is shown once its pipeline, and with it its masks, is gone', () => {
  const line = lineOf({ text: '{"card": "4111-1111"}' }, new Map())
  expect(line.payload).toBeUndefined()
  expect(JSON.stringify(line)).not.toContain('4111')
})

test('without masks, a body is shown whatever it is, without the secrets of the config', () => {
  const line = lineOf(
    { text: 'token=the-secret-of-it', path: '/in/the-secret-of-it' },
    new Map([['orders', []]]),
  )
  expect(line).toMatchObject({ payload: 'token=${env:SECRET}', path: '/in/${env:SECRET}' })
  const long = lineOf({ text: 'x'.repeat(500) }, new Map([['orders', []]]))
  expect(long).toMatchObject({ payload: 'x'.repeat(100), cut: true, bytes: 500 })
})

test('bytes that are no text are shown in hexadecimal, never as a text that has other bytes', () => {
  const masks = new Map([['orders', []]])
  const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff])
  expect(lineOf({ body: png, bytes: 5 }, masks)).toMatchObject({ hex: '89504e47ff', bytes: 5 })
  // Decoded as UTF-8 it would be JSON.
  const latin1 = Buffer.from('{"name":"\u00e9"}', 'latin1')
  const line = lineOf({ body: latin1, bytes: latin1.length }, masks)
  expect([line.hex, line.payload]).toEqual([latin1.toString('hex'), undefined])
  const secret = Buffer.concat([png, Buffer.from('the-secret-of-it')])
  expect(lineOf({ body: secret, bytes: secret.length }, masks)).toMatchObject({
    unshown: 'It has a secret of the config.',
  })
})

test('a compressed body is shown as it was before its compression, with its values masked', () => {
  const body = gzipSync('{"card": "4111-1111", "id": 1}')
  const line = lineOf({ body, bytes: body.length, headers: GZIP })
  expect(line).toMatchObject({ message: 'card *** is no number', payload: '{"card":"***","id":1}' })
  const bomb = gzipSync(Buffer.alloc(100_000))
  expect(lineOf({ body: bomb, bytes: bomb.length, headers: GZIP }).unshown).toContain('cannot be undone')
})
