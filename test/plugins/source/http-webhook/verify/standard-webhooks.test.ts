import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { standardWebhooks } from '../../../../../src/plugins/source/http-webhook/verify/standard-webhooks.js'
import { requestWith } from '../webhook.js'
import { verifying } from './scheme.js'

// The example that the libraries of Standard Webhooks are tested with.
const SECRET = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const BODY = '{"test": 2432232314}'
const SENT_AT = 1_614_265_330
const HEADERS = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': String(SENT_AT),
  'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}

const scheme = (...secrets: string[]) => {
  const { body } = standardWebhooks({
    scheme: 'standard-webhooks',
    headerPrefix: 'webhook-',
    secrets,
    tolerance: '5m',
  })
  return (headers: { [name: string]: string }, text = BODY) =>
    () =>
      body?.(requestWith(headers), Buffer.from(text))
}

const signed = (secret: string, id = HEADERS['webhook-id']) =>
  `v1,${createHmac('sha256', Buffer.from(secret, 'base64')).update(`${id}.${SENT_AT}.${BODY}`).digest('base64')}`

describe('standard-webhooks', () => {
  beforeEach(() => void vi.useFakeTimers({ now: SENT_AT * 1000, toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  it('verifies the published example, with the secret in either form', () => {
    expect(scheme(`whsec_${SECRET}`)(HEADERS)).not.toThrow()
    expect(scheme(SECRET)(HEADERS)).not.toThrow()
  })

  it('accepts any v1 signature of the list and any configured secret', () => {
    const other = Buffer.from('another secret of the same kind').toString('base64')
    const list = `v1a,${'A'.repeat(86)}== v1,bm9uc2Vuc2U= ${HEADERS['webhook-signature']}`
    expect(scheme(SECRET)({ ...HEADERS, 'webhook-signature': list })).not.toThrow()
    expect(scheme(other, SECRET)(HEADERS)).not.toThrow()
    expect(scheme(SECRET, other)({ ...HEADERS, 'webhook-signature': signed(other) })).not.toThrow()
    expect(scheme(other)(HEADERS)).toThrow('matches a configured key')
  })

  it('reads the three headers under the names of Svix', () => {
    const svix = Object.fromEntries(
      Object.entries(HEADERS).map(([name, value]) => [name.replace('webhook-', 'svix-'), value]),
    )
    const verify = verifying({ scheme: 'standard-webhooks', headerPrefix: 'Svix-', secrets: [SECRET] })
    expect(verify({ headers: svix, body: BODY })).not.toThrow()
    expect(verify({ headers: HEADERS, body: BODY })).toThrow('The header svix-id is missing.')
  })

  it('accepts v1a signatures of any configured key, and only those without secrets', () => {
    const [one, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
    const keyOf = ({ publicKey }: typeof one) =>
      `whpk_${Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')}`
    const text = Buffer.from(`${HEADERS['webhook-id']}.${SENT_AT}.${BODY}`)
    const signatureOf = (pair: typeof one) => `v1a,${sign(null, text, pair.privateKey).toString('base64')}`
    const verify = verifying({ scheme: 'standard-webhooks', publicKeys: [keyOf(one), keyOf(other)] })
    const present = (signature: string) =>
      verify({ headers: { ...HEADERS, 'webhook-signature': signature }, body: BODY })
    expect(present(signatureOf(one))).not.toThrow()
    expect(present(`v1,x v1a,x ${signatureOf(other)}`)).not.toThrow()
    for (const wrong of [
      HEADERS['webhook-signature'],
      signatureOf(generateKeyPairSync('ed25519')),
      `${signatureOf(one)}A`,
      signatureOf(one).replace('v1a', 'v1'),
    ])
      expect(present(wrong)).toThrow('No v1a signature in the header webhook-signature matches')
  })

  it('does not verify as many signatures as a stranger can list', () => {
    const list = (count: number) => `${'v1a,AA== '.repeat(count)}${HEADERS['webhook-signature']}`
    const present = (count: number) => scheme(SECRET)({ ...HEADERS, 'webhook-signature': list(count) })
    expect(present(15)).not.toThrow()
    expect(present(16)).toThrow('The header webhook-signature has more than 16 signatures.')
  })

  it.each(Object.keys(HEADERS))('refuses a request without %s', (name) => {
    const { [name]: _left, ...others } = HEADERS as { [name: string]: string }
    expect(scheme(SECRET)(others)).toThrow(
      expect.objectContaining({
        code: 'HG_INTAKE_UNAUTHENTICATED',
        message: `The header ${name} is missing.`,
      }),
    )
  })

  it.each([
    ['another body', HEADERS, '{"test": 2432232315}'],
    ['another id', { ...HEADERS, 'webhook-id': 'msg_other' }, BODY],
    ['another time', { ...HEADERS, 'webhook-timestamp': String(SENT_AT + 1) }, BODY],
    [
      'a signature without version',
      { ...HEADERS, 'webhook-signature': HEADERS['webhook-signature'].slice(3) },
      BODY,
    ],
    [
      'another version',
      { ...HEADERS, 'webhook-signature': HEADERS['webhook-signature'].replace('v1', 'v2') },
      BODY,
    ],
  ])('refuses %s', (_what, headers, body) => {
    expect(scheme(SECRET)(headers, body)).toThrow('No v1 signature in the header webhook-signature matches')
  })

  it('refuses a signature that is too old, or from the future', () => {
    vi.setSystemTime((SENT_AT + 431) * 1000)
    expect(scheme(SECRET)(HEADERS)).toThrow('The timestamp is 131 s too old.')
    vi.setSystemTime((SENT_AT - 301) * 1000)
    expect(scheme(SECRET)(HEADERS)).toThrow('The timestamp is 1 s too far in the future.')
    vi.setSystemTime((SENT_AT + 300) * 1000)
    expect(scheme(SECRET)(HEADERS)).not.toThrow()
  })
})
