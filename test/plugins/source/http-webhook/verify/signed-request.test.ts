import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ReceivedRequest } from '../../../../../src/http/request.js'
import { signedRequest } from '../../../../../src/plugins/source/http-webhook/verify/signed-request.js'
import { verifying } from './scheme.js'

const hmacOf = (text: string, secret: string | Buffer = 'shared') =>
  createHmac('sha256', secret).update(text).digest('hex')
const settings = { scheme: 'hmac', header: 'sig', secrets: ['shared'] }
const source = { publicUrl: 'https://hooks.example.com/public/' }
const FORM = 'application/x-www-form-urlencoded'

describe('the signed text', () => {
  it('has method, URL, path and query as the sender sees them', () => {
    const verify = verifying({ ...settings, signed: '{method} {url} {path} {query} {body}' }, source)
    const text = 'PUT https://hooks.example.com/public/in?a=%20&b /public/in a=%20&b {}'
    const request = { method: 'PUT', url: '/in?a=%20&b', headers: { sig: hmacOf(text) }, body: '{}' }
    expect(verify(request)).not.toThrow()
    expect(verify({ ...request, method: 'POST' })).toThrow('matches a configured secret')
    expect(verify({ ...request, url: '/in?a=+&b' })).toThrow('matches a configured secret')
  })

  it('has the bytes of a header as they were sent', () => {
    const verify = verifying({ ...settings, signed: '{header:X-Id}.{body}' })
    const request = {
      body: '{}',
      headers: { sig: hmacOf('Zürich.{}'), 'x-id': Buffer.from('Zürich').toString('latin1') },
    }
    expect(verify(request)).not.toThrow()
  })

  it.each([
    ['https://a.example', 'https://a.example/in'],
    ['https://a.example/', 'https://a.example/in'],
    ['http://a.example:8080/b', 'http://a.example:8080/b/in'],
  ])('puts %s before the path of the source', (publicUrl, url) => {
    const verify = verifying({ ...settings, signed: '{url}{body}' }, { publicUrl })
    expect(verify({ headers: { sig: hmacOf(`${url}{}`) }, body: '{}' })).not.toThrow()
  })

  it('has the parameters of a form sorted, each distinct value once', () => {
    const verify = signedRequest(
      { ...settings, prefix: '', encoding: 'hex', signed: '{url}{form}' },
      'https://a.example',
    )
    const request = new ReceivedRequest('POST', { sig: 'x', 'content-type': `${FORM}; charset=utf-8` }, '/in')
    const { signed } = verify(request, Buffer.from('b=2&a=%C3%A4+1&b=1&b=2'))
    expect(signed.join('')).toBe('https://a.example/inaä 1b1b2')
  })
})

describe('a form that is signed', () => {
  const verify = verifying({ ...settings, signed: '{form}' })
  const present = (body: string, text: string) =>
    verify({ headers: { sig: hmacOf(text), 'content-type': FORM }, body })

  it('has a limited number of parameters, which are counted before any is decoded', () => {
    expect(present('a=1&'.repeat(1000).slice(0, -1), 'a1')).not.toThrow()
    expect(present('a=1&'.repeat(1001).slice(0, -1), 'a1')).toThrow('more than 1000 parameters')
    expect(present(`a=1${'&'.repeat(1000)}`, 'a1')).toThrow('more than 1000 parameters')
  })

  it('can have a name with a question mark', () => {
    expect(present('?a=1', '?a1')).not.toThrow()
    expect(present('?a=1', 'a1')).toThrow('matches a configured secret')
  })
})

describe('a signed digest of the body', () => {
  const verify = verifying(
    { ...settings, signed: '{url}{form}', bodyDigest: { query: 'bodySHA256' } },
    source,
  )
  const base = 'https://hooks.example.com/public'
  const digest = createHash('sha256').update('{}').digest('hex')

  it('covers a body that is no form', () => {
    const url = `/in?bodySHA256=${digest}`
    const headers = { sig: hmacOf(`${base}${url}`), 'content-type': 'application/json' }
    expect(verify({ url, headers, body: '{}' })).not.toThrow()
    expect(verify({ url, headers, body: '{ }' })).toThrow('is not the SHA-256 of the body')
    const forged = { ...headers, 'content-type': FORM }
    expect(verify({ url, headers: forged, body: 'a=1' })).toThrow('is not the SHA-256 of the body')
  })

  it('is missed if it is missing', () => {
    const headers = { sig: hmacOf(`${base}/in`), 'content-type': 'application/json' }
    expect(verify({ url: '/in', headers, body: '{}' })).toThrow('bodySHA256 of the query is missing')
  })
})

describe('published examples with forms', () => {
  afterEach(() => void vi.useRealTimers())

  it('of Twilio', () => {
    const verify = verifying(
      {
        scheme: 'hmac',
        header: 'X-Twilio-Signature',
        encoding: 'base64',
        algorithm: 'sha1',
        signed: '{url}{form}',
        secrets: ['12345'],
      },
      { path: '/myapp.php', publicUrl: 'https://mycompany.com' },
    )
    const request = {
      url: '/myapp.php?foo=1&bar=2',
      headers: { 'x-twilio-signature': 'RSOYDt4T1cUTdK1PDd93/VVr8B8=', 'content-type': FORM },
      body: 'To=%2B18005551212&CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309',
    }
    expect(verify(request)).not.toThrow()
    expect(verify({ ...request, body: `${request.body}&Digits=5` })).toThrow('matches a configured secret')
    const asJson = { ...request, headers: { ...request.headers, 'content-type': 'application/json' } }
    expect(verify(asJson)).toThrow('is not form-encoded, so it is not signed')
  })

  it('of Slack', () => {
    vi.useFakeTimers({ now: 1_531_420_618_000, toFake: ['Date'] })
    const verify = verifying({
      scheme: 'hmac',
      header: 'X-Slack-Signature',
      prefix: 'v0=',
      signed: 'v0:{timestamp}:{body}',
      timestamp: { header: 'X-Slack-Request-Timestamp' },
      secrets: ['8f742231b10e8888abcd99yyyzzz85a5'],
    })
    const headers = {
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
      'x-slack-request-timestamp': '1531420618',
    }
    const body =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'
    expect(verify({ headers, body })).not.toThrow()
    expect(verify({ headers, body: `${body} ` })).toThrow('matches a configured secret')
  })
})

describe('signatures', () => {
  it('may be a list with a separator, of which one is right', () => {
    const verify = verifying({ ...settings, separator: ' ', prefix: 'v1=' })
    const right = `v1=${hmacOf('{}')}`
    for (const sig of [right, `v1=bad ${right}`, `${right} v0=x`])
      expect(verify({ headers: { sig }, body: '{}' })).not.toThrow()
    for (const sig of ['v1=bad v1=worse', right.slice(3), `${right},`])
      expect(verify({ headers: { sig }, body: '{}' })).toThrow(
        expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED' }),
      )
  })

  it('are refused in several headers, unless the header is a list', () => {
    const right = hmacOf('{}')
    const twice = ['Sig', right, 'Sig', right]
    const request = new ReceivedRequest('POST', { sig: `${right}, ${right}` }, '/', twice)
    const plain = { ...settings, prefix: '', encoding: 'hex', signed: '{body}' } as const
    expect(() => signedRequest(plain, undefined)(request, Buffer.of())).toThrow(
      'The header sig was sent more than once.',
    )
    const { signatures } = signedRequest({ ...plain, separator: ', ' }, undefined)(request, Buffer.of())
    expect(signatures).toEqual([right, right])
  })

  it.each([
    ['base64', Buffer.from('key!').toString('base64')],
    ['base64', Buffer.from('key!').toString('base64').replace('==', '')],
    ['hex', Buffer.from('key!').toString('hex')],
    ['whsec', `whsec_${Buffer.from('key!').toString('base64')}`],
  ])('are made with a secret that is written in %s', (secretEncoding, secret) => {
    const verify = verifying({ ...settings, secrets: [secret], secretEncoding })
    expect(verify({ headers: { sig: hmacOf('{}', 'key!') }, body: '{}' })).not.toThrow()
    expect(verify({ headers: { sig: hmacOf('{}', secret) }, body: '{}' })).toThrow(
      'matches a configured secret',
    )
  })
})

it('whatever a stranger sends to a scheme with URL, form and digest, is refused as unauthenticated', () => {
  const verify = verifying({ ...settings, signed: '{url}{form}', bodyDigest: { query: 'd' } }, source)
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  const type = fc.oneof(fc.constantFrom(FORM, `${FORM};x`, 'application/json'), text)
  fc.assert(
    fc.property(text, type, text, fc.uint8Array({ maxLength: 60 }), (sig, contentType, query, bytes) => {
      const headers = { sig, 'content-type': contentType }
      const request = { headers, url: `/in?d=${query}`, body: Buffer.from(bytes) }
      expect(verify(request)).toThrow(expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED' }))
    }),
  )
})
