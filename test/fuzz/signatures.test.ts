import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { httpWebhook } from '../../src/plugins/source/http-webhook/index.js'
import { verifier } from '../../src/plugins/source/http-webhook/verify/schemes.js'
import { fillDefaults } from '../helpers/context.js'
import { requestWith } from '../plugins/source/http-webhook/webhook.js'
import { runs } from './runs.js'

const SECRET = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const SCHEMES = [
  { scheme: 'bearer', tokens: ['token-1', 'token-2'] },
  { scheme: 'standard-webhooks', secrets: [SECRET] },
  { scheme: 'hmac', header: 'sig', prefix: 'sha256=', secrets: ['shared'] },
  {
    scheme: 'hmac',
    header: 'sig',
    listKey: 'v1',
    encoding: 'base64',
    signed: '{timestamp}.{header:x}.{body}',
    timestamp: { listKey: 't' },
    secrets: ['shared', 'other'],
  },
  {
    scheme: 'hmac',
    header: 'sig',
    signed: '{timestamp}{body}',
    timestamp: { header: 'x', unit: 'rfc3339' },
    secrets: ['shared'],
  },
  { scheme: 'basic', credentials: ['name:password'] },
  { scheme: 'api-key', header: 'x', keys: ['token-1', 'token-2'] },
  {
    scheme: 'hmac',
    header: 'sig',
    separator: ' ',
    prefix: 'v1=',
    encoding: 'base64url',
    secrets: ['shared'],
  },
  {
    scheme: 'ed25519',
    header: 'sig',
    publicKeys: ['fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'],
  },
  {
    scheme: 'standard-webhooks',
    publicKeys: ['whpk_/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU='],
  },
].map((settings) => {
  const config = fillDefaults(httpWebhook, { path: '/', eventId: '/id', verify: settings })
  return verifier(config.verify)
})

const NAMES = ['authorization', 'sig', 'x', 'webhook-id', 'webhook-timestamp', 'webhook-signature']
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.stringMatching(
    /^(v1|t|v1a|sha256|Bearer|Basic)?[=, ;]?[A-Za-z0-9+/=-]{0,50}([, ;](v1|t)=[0-9a-f]{0,20})?$/,
  ),
  fc.constantFrom(String(Math.floor(Date.now() / 1000)), new Date().toISOString(), 'token-', 'Bearer token-'),
)
const headers = fc.dictionary(fc.constantFrom(...NAMES), value)

it('whatever a stranger puts into headers and body, it is refused as unauthenticated', () => {
  fc.assert(
    fc.property(headers, fc.uint8Array({ maxLength: 40 }), (given, bytes) => {
      for (const { head, body } of SCHEMES) {
        const attempt = () => {
          head?.(requestWith(given))
          body?.(requestWith(given), Buffer.from(bytes))
        }
        expect(attempt).toThrow(HeadgateError)
        expect(attempt).toThrow(expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED' }))
      }
    }),
    runs(1000),
  )
})

it('of a signed body only the signature itself passes, with no character more, less or other', () => {
  const scheme = SCHEMES[2]
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(),
      fc.string({ unit: 'binary', maxLength: 2 }),
      (bytes, place, other) => {
        const body = Buffer.from(bytes)
        const right = `sha256=${createHmac('sha256', 'shared').update(body).digest('hex')}`
        expect(() => scheme?.body?.(requestWith({ sig: right }), body)).not.toThrow()
        const at = place % (right.length + 1)
        for (const end of [at, at + 1]) {
          const changed = right.slice(0, at) + other + right.slice(end)
          if (changed.toLowerCase() === right) continue
          expect(() => scheme?.body?.(requestWith({ sig: changed }), body)).toThrow(HeadgateError)
        }
      },
    ),
    runs(500),
  )
})
