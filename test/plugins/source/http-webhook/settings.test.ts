import { describe, expect, it } from 'vitest'
import { httpWebhook } from '../../../../src/plugins/source/http-webhook/index.js'
import { checkContext, fillDefaults } from '../../../helpers/context.js'

const minimal = { path: '/in', eventId: '/id', verify: { scheme: 'bearer', tokens: ['t'] } }
const settings = (config: object = {}) => fillDefaults(httpWebhook, { ...minimal, ...config })
const check = (verify: object, exposed = false, source: object = {}) => [
  ...(httpWebhook.check?.(settings({ verify, ...source }), checkContext({ exposed })) ?? []),
]

describe('http-webhook: settings', () => {
  it('has defaults for all but path, event id and verification', () => {
    expect(settings()).toEqual({
      ...minimal,
      methods: ['POST'],
      body: { formats: ['json'], value: 'sent', maxFields: 10_000 },
      maxBody: '980KiB',
      encodings: ['identity'],
      maxDepth: 64,
      maxInFlight: 500,
      responseTimeout: '15s',
      responses: {},
    })
    for (const key of Object.keys(minimal)) {
      expect(() => fillDefaults(httpWebhook, { ...minimal, [key]: undefined })).toThrow(key)
    }
  })

  it('fills the defaults of the chosen scheme', () => {
    const verify = { scheme: 'hmac', header: 'X-Sig', secrets: ['s'], timestamp: { header: 'X-Time' } }
    expect(settings({ verify }).verify).toEqual({
      ...verify,
      prefix: '',
      encoding: 'hex',
      algorithm: 'sha256',
      signed: '{body}',
      secretEncoding: 'utf8',
      timestamp: { header: 'X-Time', unit: 'seconds', tolerance: '5m' },
    })
  })

  it.each(['/', '/in', '/webhook/cxone/data-actions', '/a.b/c~d', '/in/'])('accepts the path %s', (path) => {
    expect(settings({ path }).path).toBe(path)
  })

  it.each(['', 'in', '/in?x=1', '/in#x', '//in', '/a//b', '/a/../b', '/./a', '/a/..', '/a b', '/ä', '/%61'])(
    'refuses the path "%s"',
    (path) => {
      expect(() => settings({ path })).toThrow('/path')
    },
  )

  it.each([
    [{ scheme: 'bearer', tokens: [] }, '/verify/tokens'],
    [{ scheme: 'bearer', tokens: [''] }, '/verify/tokens/0'],
    [{ scheme: 'bearer', tokens: ['   '] }, '/verify/tokens/0'],
    [{ scheme: 'bearer', tokens: ['token\n'] }, '/verify/tokens/0'],
    [{ scheme: 'hmac', header: 'X', secrets: [' \t'] }, '/verify/secrets/0'],
    [{ scheme: 'standard-webhooks', secrets: ['whsec_not base64'] }, '/verify/secrets/0'],
    [{ scheme: 'hmac', header: 'X Y', secrets: ['s'] }, '/verify/header'],
    [{ scheme: 'hmac', header: 'X', secrets: ['s'], signed: '{timestamp}' }, '/verify/signed'],
    [{ scheme: 'hmac', header: 'X', secrets: ['s'], signed: '{body}{other}' }, '/verify/signed'],
    [{ scheme: 'hmac', header: 'X', secrets: ['s'], signed: '{body}}' }, '/verify/signed'],
    [{ scheme: 'hmac', header: 'X', secrets: ['s'], algorithm: 'md5' }, '/verify/algorithm'],
    [{ scheme: 'digest' }, '/verify'],
    [{ scheme: 'basic', credentials: ['no colon'] }, '/verify/credentials/0'],
    [{ scheme: 'api-key', header: 'X', keys: [' '] }, '/verify/keys/0'],
  ])('refuses %o', (verify, place) => {
    expect(() => settings({ verify })).toThrow(place)
  })

  it('claims its path, so that no other pipeline can have it', () => {
    expect(httpWebhook.claims?.(settings({ path: '/webhook/x' }))).toEqual([
      { at: '/path', claim: 'path /webhook/x' },
    ])
  })

  it('refuses unverified senders if strangers can reach the listener', () => {
    expect(check({ scheme: 'none' }, true)).toMatchObject([{ at: '/verify', code: 'HG_CONFIG_UNVERIFIED' }])
    expect(check({ scheme: 'none' }, false)).toEqual([])
    expect(check({ scheme: 'bearer', tokens: ['t'] }, true)).toEqual([])
  })

  const hmac = { scheme: 'hmac', header: 'X-Sig', secrets: ['s'] }
  const signed = '{timestamp}.{body}'

  it.each([
    ['a signed timestamp that is nowhere', { signed }, '/verify/signed'],
    ['a timestamp that is not signed', { timestamp: { header: 'X-Time' } }, '/verify/timestamp'],
    ['a timestamp without a place', { signed, timestamp: {} }, '/verify/timestamp'],
    [
      'a timestamp with two places',
      { signed, listKey: 'v1', timestamp: { header: 'X', listKey: 't' } },
      '/verify/timestamp',
    ],
    [
      'a list key for a header that is not a list',
      { signed, timestamp: { listKey: 't' } },
      '/verify/timestamp/listKey',
    ],
    ['a list with keys and a separator', { listKey: 'v1', separator: ' ' }, '/verify/separator'],
    ['a signed URL that is unknown', { signed: '{url}{body}' }, '/verify/signed'],
    [
      'a digest that is not signed',
      { signed: '{method}{form}', bodyDigest: { query: 'd' } },
      '/verify/bodyDigest',
    ],
  ])('finds %s', (_what, settings, at) => {
    expect(check({ ...hmac, ...settings })).toMatchObject([{ at, code: 'HG_CONFIG_CONFLICT' }])
  })

  const publicUrl = 'https://hooks.example.com'

  it('wants the body to be signed', () => {
    const url = { ...hmac, signed: '{url}' }
    expect(check(url, false, { publicUrl })).toMatchObject([{ at: '/verify/signed' }])
    expect(check({ ...url, bodyDigest: { query: 'd' } }, false, { publicUrl })).toEqual([])
    expect(check({ ...url, signed: '{url}{form}' }, false, { publicUrl })).toEqual([])
  })

  it.each([
    [{ ...hmac, secretEncoding: 'base64', secrets: ['Zm9v', 'not base64!'] }, '/verify/secrets/1'],
    [{ ...hmac, secretEncoding: 'hex', secrets: ['0g'] }, '/verify/secrets/0'],
    [{ scheme: 'ed25519', header: 'X', publicKeys: ['00'] }, '/verify/publicKeys/0'],
    [{ scheme: 'ecdsa-p256', header: 'X', publicKeys: ['00'.repeat(32)] }, '/verify/publicKeys/0'],
    [{ scheme: 'standard-webhooks' }, '/verify'],
    [{ scheme: 'standard-webhooks', publicKeys: ['whpk_00'] }, '/verify/publicKeys/0'],
    [{ scheme: 'api-key', keys: ['k'] }, '/verify'],
    [{ scheme: 'api-key', header: 'X', query: 'x', keys: ['k'] }, '/verify'],
  ])('finds the fault of %o, and repeats no secret', (verify, at) => {
    const problems = check(verify)
    expect(problems).toMatchObject([{ at }])
    expect(JSON.stringify(problems)).not.toContain('not base64!')
  })

  it('finds no problem in consistent settings of a signature', () => {
    expect(check(hmac)).toEqual([])
    expect(check({ ...hmac, signed, timestamp: { header: 'X-Time' } })).toEqual([])
    expect(check({ ...hmac, signed, listKey: 'v1', timestamp: { listKey: 't' } })).toEqual([])
  })
})
