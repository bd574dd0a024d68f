import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { httpWebhook } from '../../../../../src/plugins/source/http-webhook/index.js'
import { hmac } from '../../../../../src/plugins/source/http-webhook/verify/hmac.js'
import { fillDefaults } from '../../../../helpers/context.js'
import { requestWith } from '../webhook.js'

type Headers = { [name: string]: string }

/** The scheme with these settings, defaults filled in as the config reader does it. */
function scheme(settings: object) {
  const verify = { scheme: 'hmac', ...settings }
  const config = fillDefaults(httpWebhook, { path: '/', eventId: '/id', verify })
  const { body } = hmac(config.verify as Parameters<typeof hmac>[0])
  return (headers: Headers, text: string | Buffer) => () => body?.(requestWith(headers), Buffer.from(text))
}

const sign = (text: string, secret = 'shared', encoding: 'hex' | 'base64' = 'hex', algorithm = 'sha256') =>
  createHmac(algorithm, secret).update(text).digest(encoding)

const refusal = (message: string) => expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED', message })

it('a character beyond Latin-1 is not taken for the one that its low byte names', () => {
  const plain = scheme({ header: 'sig', secrets: ['shared'] })
  const signature = sign('body')
  expect(plain({ sig: signature }, 'body')).not.toThrow()
  const digit = signature.charCodeAt(0)
  const lookalike = String.fromCharCode(0x4e00 + digit) + signature.slice(1)
  expect(plain({ sig: lookalike }, 'body')).toThrow('matches a configured secret')
})

describe('hmac: real senders', () => {
  const NOW = 1_700_000_000
  beforeEach(() => void vi.useFakeTimers({ now: NOW * 1000, toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  it('verifies GitHub, by its published example', () => {
    const github = scheme({
      header: 'X-Hub-Signature-256',
      prefix: 'sha256=',
      secrets: ["It's a Secret to Everybody"],
    })
    const signature = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
    const headers = { 'x-hub-signature-256': `sha256=${signature}` }
    expect(github(headers, 'Hello, World!')).not.toThrow()
    expect(
      github({ 'x-hub-signature-256': `sha256=${signature.toUpperCase()}` }, 'Hello, World!'),
    ).not.toThrow()
    expect(github(headers, 'Hello, World?')).toThrow('matches a configured secret')
    expect(github({ 'x-hub-signature-256': signature }, 'Hello, World!')).toThrow(
      refusal('The header x-hub-signature-256 has no signature that starts with "sha256=".'),
    )
  })

  it('verifies Stripe, with both signatures that it sends while a secret is rotated', () => {
    const stripe = scheme({
      header: 'Stripe-Signature',
      listKey: 'v1',
      signed: '{timestamp}.{body}',
      timestamp: { listKey: 't' },
      secrets: ['whsec_one'],
    })
    const body = '{"id":"evt_1","object":"event"}'
    const [mine, other] = ['whsec_one', 'whsec_two'].map((secret) => sign(`${NOW}.${body}`, secret))
    const header = (...members: string[]) => ({ 'stripe-signature': members.join(',') })
    expect(stripe(header(`t=${NOW}`, `v1=${mine}`, `v0=${'6'.repeat(64)}`), body)).not.toThrow()
    expect(stripe(header(`t=${NOW}`, `v1=${other}`, `v1=${mine}`), body)).not.toThrow()
    expect(stripe(header(`t=${NOW}`, `v1=${other}`), body)).toThrow('matches a configured secret')
    expect(stripe(header(`t=${NOW}`, `v0=${mine}`), body)).toThrow(
      refusal('The header stripe-signature has no "v1=".'),
    )
    expect(stripe(header(`v1=${mine}`), body)).toThrow(refusal('The header stripe-signature has no "t=".'))
    expect(stripe(header(`t=${NOW - 1}`, `v1=${mine}`), body)).toThrow('matches a configured secret')
  })

  it('verifies Zendesk', () => {
    const zendesk = scheme({
      header: 'X-Zendesk-Webhook-Signature',
      encoding: 'base64',
      signed: '{timestamp}{body}',
      timestamp: { header: 'X-Zendesk-Webhook-Signature-Timestamp', unit: 'rfc3339' },
      secrets: ['dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=='],
    })
    const timestamp = '2023-11-14T22:13:20Z'
    const body = '{"say":"hello"}'
    const signature = sign(timestamp + body, 'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==', 'base64')
    const headers = {
      'x-zendesk-webhook-signature': signature,
      'x-zendesk-webhook-signature-timestamp': timestamp,
    }
    expect(zendesk(headers, body)).not.toThrow()
    expect(zendesk({ ...headers, 'x-zendesk-webhook-signature-timestamp': '1700000000' }, body)).toThrow(
      refusal('The timestamp is not in rfc3339.'),
    )
    expect(zendesk({ 'x-zendesk-webhook-signature': signature }, body)).toThrow(
      refusal('The header x-zendesk-webhook-signature-timestamp is missing.'),
    )
  })

  it('verifies CXone Expert', () => {
    const expert = scheme({
      header: 'X-Nexus-Signature-256',
      prefix: 'sha256=',
      signed: '{timestamp}.{body}',
      timestamp: { header: 'X-Nexus-Timestamp' },
      secrets: ['shared'],
    })
    const headers = { 'x-nexus-signature-256': `sha256=${sign(`${NOW}.{}`)}`, 'x-nexus-timestamp': `${NOW}` }
    expect(expert(headers, '{}')).not.toThrow()
    expect(expert(headers, '{ }')).toThrow('matches a configured secret')
    expect(expert({ ...headers, 'x-nexus-timestamp': `${NOW + 1}` }, '{}')).toThrow(
      'matches a configured secret',
    )
  })

  it('verifies a text with headers in it, and another hash', () => {
    const other = scheme({
      header: 'Signature',
      algorithm: 'sha512',
      signed: 'v0:{header:X-Request-Id}:{header:date}:{body}!',
      secrets: ['shared'],
    })
    const headers = {
      'x-request-id': 'r1',
      date: 'today',
      signature: sign('v0:r1:today:{}!', 'shared', 'hex', 'sha512'),
    }
    expect(other(headers, '{}')).not.toThrow()
    expect(other({ ...headers, 'x-request-id': 'r2' }, '{}')).toThrow('matches a configured secret')
    expect(other({ date: 'today', signature: headers.signature }, '{}')).toThrow(
      refusal('The header x-request-id is missing.'),
    )
  })

  it.each(['hex', 'base64'] as const)(
    'takes a signature in %s with anything before, in or behind it for none',
    (encoding) => {
      const verify = scheme({ header: 'sig', encoding, secrets: ['shared'] })
      const right = sign('{}', 'shared', encoding)
      expect(verify({ sig: right }, '{}')).not.toThrow()
      for (const wrong of [
        `${right}zz`,
        `${right}0`,
        `${right}=`,
        `${right} `,
        `${right},`,
        `\u00e9${right}`,
        ` ${right}`,
        `${right.slice(0, 10)}\n${right.slice(10)}`,
        `${right.slice(0, 10)}*${right.slice(10)}`,
        `${right}${right}`,
        right.slice(0, -1),
        Buffer.from(right).toString('hex'),
      ])
        expect(verify({ sig: wrong }, '{}'), JSON.stringify(wrong)).toThrow('matches a configured secret')
    },
  )

  const timed = { header: 'sig', signed: '{timestamp}.{body}', secrets: ['shared'] }

  it.each([
    [NOW - 300, undefined],
    [NOW + 300, undefined],
    [NOW - 301, 'The timestamp is 1 s too old.'],
    [NOW - 86_400, 'The timestamp is 86100 s too old.'],
    [NOW + 310, 'The timestamp is 10 s too far in the future.'],
  ])('holds a timestamp of %s against the clock', (timestamp, message) => {
    const verify = scheme({ ...timed, timestamp: { header: 'time' } })
    const attempt = verify({ sig: sign(`${timestamp}.{}`), time: `${timestamp}` }, '{}')
    if (message === undefined) expect(attempt).not.toThrow()
    else expect(attempt).toThrow(refusal(message))
  })

  it.each(['', 'soon', '-1', '1.7e9', '0x6553f100', '1700000000 ', '2023-11-14T22:13:20Z'])(
    'refuses the timestamp "%s"',
    (time) => {
      const verify = scheme({ ...timed, timestamp: { header: 'time' } })
      expect(verify({ sig: sign(`${time}.{}`), time }, '{}')).toThrow(
        /The (timestamp is not in seconds|header time is missing)/,
      )
    },
  )

  it('reads milliseconds, with the tolerance that is configured', () => {
    const verify = scheme({ ...timed, timestamp: { header: 'time', unit: 'milliseconds', tolerance: '1s' } })
    const at = (time: number) => verify({ sig: sign(`${time}.{}`), time: `${time}` }, '{}')
    expect(at(NOW * 1000 - 1000)).not.toThrow()
    expect(at(NOW * 1000 - 1001)).toThrow('too old')
  })
})

describe('hmac', () => {
  it('accepts every configured secret, so that secrets can be rotated without a gap', () => {
    const verify = scheme({ header: 'sig', secrets: ['old', 'new'] })
    expect(verify({ sig: sign('{}', 'old') }, '{}')).not.toThrow()
    expect(verify({ sig: sign('{}', 'new') }, '{}')).not.toThrow()
    expect(verify({ sig: sign('{}', 'other') }, '{}')).toThrow('matches a configured secret')
  })

  it.each(['', 'zz', 'ab', sign('{}').slice(0, -1), `${sign('{}')}00`, `${sign('{}').slice(0, -2)}zz`])(
    'refuses the signature "%s"',
    (sig) => {
      expect(scheme({ header: 'sig', secrets: ['shared'] })({ sig }, '{}')).toThrow(
        expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED' }),
      )
    },
  )

  it('refuses a body with any changed bit', () => {
    const verify = scheme({ header: 'sig', secrets: ['shared'] })
    const body = fc.uint8Array({ minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(body, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, place, flip) => {
        const headers = { sig: createHmac('sha256', 'shared').update(bytes).digest('hex') }
        expect(verify(headers, Buffer.from(bytes))).not.toThrow()
        const changed = Buffer.from(bytes)
        const at = place % bytes.length
        changed.writeUInt8(changed.readUInt8(at) ^ flip, at)
        expect(verify(headers, changed)).toThrow('matches a configured secret')
      }),
    )
  })

  it('never reveals a secret or the expected signature', () => {
    const verify = scheme({ header: 'sig', secrets: ['hunter2'] })
    try {
      verify({ sig: sign('{}') }, '{}')()
      expect.unreachable()
    } catch (error) {
      const said = JSON.stringify(error, Object.getOwnPropertyNames(error))
      expect(said).not.toContain('hunter2')
      expect(said).not.toContain(sign('{}', 'hunter2'))
    }
  })
})
