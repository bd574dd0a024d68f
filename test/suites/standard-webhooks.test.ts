import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { standardWebhooks } from '../../src/plugins/source/http-webhook/verify/standard-webhooks.js'
import { requestWith } from '../plugins/source/http-webhook/webhook.js'
import { countSuite } from './count.js'

/** The vector that the specification's libraries are tested with. */
const SECRET = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const SENT_AT = 1_614_265_330
const BODY = '{"test": 2432232314}'
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
const INVALID = 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='
const TOLERANCE = 5 * 60

interface Vector {
  readonly name: string
  readonly headers: { readonly [name: string]: string }
  readonly passes: boolean
  readonly secret?: string
}

const signed = (more: { readonly [name: string]: string | undefined } = {}) =>
  Object.fromEntries(
    Object.entries({
      'webhook-id': ID,
      'webhook-timestamp': String(SENT_AT),
      'webhook-signature': SIGNATURE,
      ...more,
    }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
const signedAt = (seconds: number) =>
  signed({
    'webhook-timestamp': String(seconds),
    'webhook-signature': new Webhook(SECRET).sign(ID, new Date(seconds * 1000), BODY),
  })

/** The cases that the libraries' own tests have. */
const VECTORS: readonly Vector[] = [
  { name: 'the published signature', headers: signed(), passes: true },
  {
    name: 'the secret with its prefix',
    headers: signed(),
    passes: true,
    secret: `whsec_${SECRET}`,
  },
  { name: 'no id', headers: signed({ 'webhook-id': undefined }), passes: false },
  { name: 'no timestamp', headers: signed({ 'webhook-timestamp': undefined }), passes: false },
  { name: 'no signature', headers: signed({ 'webhook-signature': undefined }), passes: false },
  { name: 'a timestamp that is no number', headers: signed({ 'webhook-timestamp': 'hello' }), passes: false },
  { name: 'another signature', headers: signed({ 'webhook-signature': INVALID }), passes: false },
  {
    name: 'half a signature',
    headers: signed({ 'webhook-signature': SIGNATURE.slice(0, 8) }),
    passes: false,
  },
  { name: 'no version', headers: signed({ 'webhook-signature': SIGNATURE.slice(3) }), passes: false },
  { name: 'a timestamp that is too old', headers: signedAt(SENT_AT - TOLERANCE - 1), passes: false },
  { name: 'a timestamp at the tolerance', headers: signedAt(SENT_AT - TOLERANCE), passes: true },
  { name: 'a timestamp that is too new', headers: signedAt(SENT_AT + TOLERANCE + 1), passes: false },
  {
    name: 'several signatures, one of them right',
    headers: signed({ 'webhook-signature': `${INVALID} v2,abc ${SIGNATURE} v1a,def` }),
    passes: true,
  },
  {
    name: 'several signatures, none of them right',
    headers: signed({ 'webhook-signature': `${INVALID} v2,${SIGNATURE.slice(3)}` }),
    passes: false,
  },
  {
    name: 'junk behind the signature',
    headers: signed({ 'webhook-signature': `${SIGNATURE}zz` }),
    passes: false,
  },
  {
    name: 'junk in the signature',
    headers: signed({ 'webhook-signature': `v1,*${SIGNATURE.slice(3)}` }),
    passes: false,
  },
]

const RANDOM = 200
countSuite('Standard Webhooks 1.0 (v1)', VECTORS.length + RANDOM)

describe('Standard Webhooks', () => {
  beforeEach(() => void vi.useFakeTimers({ now: SENT_AT * 1000, toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  const verify = (secret: string, headers: Vector['headers'], body: string) => () =>
    standardWebhooks({
      scheme: 'standard-webhooks',
      headerPrefix: 'webhook-',
      secrets: [secret],
      tolerance: '5m',
    }).body?.(requestWith(headers), Buffer.from(body))

  it.each(VECTORS)('$name: passes $passes', ({ headers, passes, secret = SECRET }) => {
    const verifying = expect(verify(secret, headers, BODY))
    if (passes) verifying.not.toThrow()
    else verifying.toThrow(expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED' }))
  })

  it('takes what the official library signs, and nothing that was changed afterwards', () => {
    const secret = fc
      .uint8Array({ minLength: 24, maxLength: 64 })
      .map((bytes) => Buffer.from(bytes).toString('base64'))
    const id = fc.stringMatching(/^[!-~]{1,40}$/)
    fc.assert(
      fc.property(secret, id, fc.string({ unit: 'grapheme' }), fc.nat(), (key, messageId, body, place) => {
        const signature = new Webhook(key).sign(messageId, new Date(SENT_AT * 1000), body)
        const headers = { ...signed(), 'webhook-id': messageId, 'webhook-signature': signature }
        expect(verify(key, headers, body)).not.toThrow()

        const at = 3 + (place % (signature.length - 3))
        const forged = `${signature.slice(0, at)}${signature[at] === 'A' ? 'B' : 'A'}${signature.slice(at + 1)}`
        expect(verify(key, { ...headers, 'webhook-signature': forged }, body)).toThrow()
        expect(verify(key, headers, `${body} `)).toThrow()
      }),
      { numRuns: RANDOM },
    )
  })
})
