import { describe, expect, it, vi } from 'vitest'
import { HeadgateError } from '../../../../src/contract/errors.js'
import { httpWebhook } from '../../../../src/plugins/source/http-webhook/index.js'
import {
  type RateLimitSettings,
  RateLimits,
} from '../../../../src/plugins/source/http-webhook/rate-limits.js'
import { checkContext, fillDefaults, testContext } from '../../../helpers/context.js'
import { rawConnection, rawRequest } from '../../../helpers/raw-connection.js'
import { startWebhook, TOKEN } from './webhook.js'

const ONE = { rate: 0.001, burst: 1 }
const trustedProxies = ['127.0.0.1']
const from = (address: string) => ({ 'x-forwarded-for': address })

describe('http-webhook: rate limits', () => {
  it('responds with 429, the time to wait and the limit', async () => {
    const { post, outcomes, lines, values } = await startWebhook({
      rateLimit: { pipeline: { rate: 0.5, burst: 2 } },
    })
    expect((await post('{"id":"a"}')).status).toBe(200)
    expect((await post('{"id":"b"}')).status).toBe(200)
    expect(await post('{"id":"c"}')).toMatchObject({
      status: 429,
      headers: {
        'retry-after': '2',
        'ratelimit-policy': '"pipeline";q=2;w=4',
        ratelimit: '"pipeline";r=0;t=2',
        'content-type': 'application/problem+json',
      },
      json: { code: 'HG_INTAKE_LIMIT_PIPELINE', detail: expect.stringContaining('0.5 events a second') },
    })
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'delivered', 'limited'])
    expect(values.get('rate_limited_requests_total{limit="pipeline"}')).toBe(1)
    expect(lines).toEqual([])
  })

  it('an address has a limit of its own, which unverified requests use up too', async () => {
    const { post } = await startWebhook({ trustedProxies, rateLimit: { address: { rate: 0.001, burst: 2 } } })
    expect((await post('{"id":"a"}', { ...from('192.0.2.1'), authorization: 'Bearer wrong' })).status).toBe(
      401,
    )
    expect((await post('{"id":"a"}', from('192.0.2.1'))).status).toBe(200)
    expect(await post('{"id":"b"}', from('192.0.2.1'))).toMatchObject({
      status: 429,
      json: { code: 'HG_INTAKE_LIMIT_ADDRESS' },
    })
    expect((await post('{"id":"b"}', from('192.0.2.2'))).status).toBe(200)
  })

  it('addresses of one network of IPv6 share a limit, and so do unknown ones', async () => {
    const { post } = await startWebhook({ trustedProxies, rateLimit: { address: ONE } })
    const status = async (address: string) => (await post('{"id":"a"}', from(address))).status
    expect(await status('2001:db8:0:1::1')).toBe(200)
    expect(await status('2001:db8:0:1:ffff::2')).toBe(429)
    expect(await status('2001:db8:0:2::1')).toBe(200)
    expect(await status('2001:db8::1')).toBe(200)
    expect(await status('::5:1')).toBe(200)
    expect(await status('nonsense')).toBe(200)
    expect(await status('_hidden')).toBe(429)
  })

  it('a stranger cannot use up the limits of verified senders', async () => {
    const { post } = await startWebhook({ rateLimit: { pipeline: ONE, key: ONE } })
    for (let tried = 0; tried < 3; tried++)
      expect((await post('{"id":"a"}', { authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await post('{"id":"a"}')).status).toBe(200)
  })

  it.each([
    [
      { scheme: 'bearer', tokens: ['one', 'two'] },
      { authorization: 'Bearer one' },
      { authorization: 'bearer  one ' },
      { authorization: 'Bearer two' },
    ],
    [
      { scheme: 'api-key', header: 'X-Key', keys: ['one', 'two'] },
      { 'x-key': 'one' },
      { 'x-key': 'one' },
      { 'x-key': 'two' },
    ],
    [
      { scheme: 'basic', credentials: ['a:one', 'a:two'] },
      { authorization: 'Basic YTpvbmU=' },
      { authorization: 'BASIC  YTpvbmU=' },
      { authorization: 'Basic YTp0d28=' },
    ],
  ])('a key has a limit of its own, however it is written: %o', async (verify, first, same, other) => {
    const { post } = await startWebhook({ verify, rateLimit: { key: ONE } })
    expect((await post('{"id":"a"}', first)).status).toBe(200)
    expect(await post('{"id":"b"}', same)).toMatchObject({
      status: 429,
      json: { code: 'HG_INTAKE_LIMIT_KEY' },
    })
    expect((await post('{"id":"b"}', other)).status).toBe(200)
  })

  it('the body of a request beyond a limit is not read', async () => {
    const { port, post } = await startWebhook({ rateLimit: { pipeline: ONE } })
    await post('{"id":"a"}')
    const connection = await rawConnection(port)
    const auth = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    connection.send(rawRequest('POST', '/in', { ...auth, 'content-length': 900_000 }))
    expect(await connection.until((text) => text.endsWith('}'))).toMatch(/^HTTP\/1.1 429 /)
  })

  it('a batch counts as its items, is accepted whole, and those after it wait', async () => {
    const { post, outcomes } = await startWebhook({
      split: {},
      trustedProxies,
      rateLimit: { pipeline: { rate: 1, burst: 2 }, address: { rate: 0.5, burst: 2 } },
    })
    const batch = JSON.stringify(Array.from({ length: 8 }, (_, index) => ({ id: `e${index}` })))
    expect(await post(batch, from('192.0.2.1'))).toMatchObject({ status: 200 })
    expect(outcomes).toHaveLength(8)
    expect(await post('[{"id":"f"}]', from('192.0.2.2'))).toMatchObject({
      status: 429,
      headers: { 'retry-after': '7', 'ratelimit-policy': '"pipeline";q=2;w=2' },
    })
    expect(await post('[{"id":"f"}]', from('192.0.2.1'))).toMatchObject({
      status: 429,
      headers: { 'retry-after': '14', 'ratelimit-policy': '"address";q=2;w=4' },
    })
  })

  it('requests whose heads were accepted together do not exceed the limit together', async () => {
    const { port, events } = await startWebhook({ rateLimit: { pipeline: ONE } })
    const auth = {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      'content-length': 10,
    }
    const connections = await Promise.all([rawConnection(port), rawConnection(port)])
    for (const connection of connections) connection.send(rawRequest('POST', '/in', auth, '{"id":'))
    // The listener has read the heads when it responds on a connection that was opened later.
    const later = await rawConnection(port)
    later.send(rawRequest('GET', '/elsewhere', {}))
    await later.until((text) => text.endsWith('}'))
    for (const connection of connections) connection.send('"a"}')
    const texts = await Promise.all(connections.map((each) => each.until((text) => text.endsWith('}'))))
    expect(texts.map((text) => text.slice(9, 12)).sort()).toEqual(['200', '429'])
    expect(events).toHaveLength(1)
  })

  it('its sender can get another status', async () => {
    const { post } = await startWebhook({
      rateLimit: { pipeline: ONE },
      responses: { limited: { status: 503 } },
    })
    await post('{"id":"a"}')
    expect(await post('{"id":"b"}')).toMatchObject({ status: 503, headers: { 'retry-after': '1000' } })
  })

  it('workers share the limits', () => {
    const limits = limitsOf({ pipeline: { rate: 8, burst: 4 } }, 4)
    limits.accepted({ remoteAddress: '192.0.2.1' } as never, 1)
    expect(limits.headers(errorOf(() => limits.requireRoom({} as never)))).toMatchObject({
      'ratelimit-policy': '"pipeline";q=1;w=1',
    })
  })

  it('the key of a verified request is looked up once', () => {
    const keyOf = vi.fn(() => 'one')
    const limits = new RateLimits({ key: { rate: 1, burst: 2 } }, 1, keyOf, testContext().metrics)
    limits.accepted({} as never, 2)
    expect(keyOf).toHaveBeenCalledTimes(1)
    expect(errorOf(() => limits.accepted({} as never, 1))).toMatchObject({ code: 'HG_INTAKE_LIMIT_KEY' })
  })

  it('room comes back as time passes on a clock that nobody sets', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const limits = limitsOf({ address: { rate: 2 } })
      const arrive = () => limits.arrived({ remoteAddress: '192.0.2.1' } as never)
      arrive()
      arrive()
      expect(errorOf(arrive)).toMatchObject({ code: 'HG_INTAKE_LIMIT_ADDRESS', retryAfter: 1 })
      vi.advanceTimersByTime(500)
      arrive()
      expect(errorOf(arrive)).toMatchObject({ retryAfter: 1 })
    } finally {
      vi.useRealTimers()
    }
  })

  it('a limit for keys needs a scheme that shows them', () => {
    const check = (verify: object) =>
      [
        ...(httpWebhook.check?.(
          fillDefaults(httpWebhook, { path: '/', eventId: '/id', verify, rateLimit: { key: ONE } }),
          checkContext(),
        ) ?? []),
      ].map(({ at, code }) => [at, code])
    expect(check({ scheme: 'hmac', header: 'X', secrets: ['s'] })).toEqual([
      ['/rateLimit/key', 'HG_CONFIG_CONFLICT'],
    ])
    expect(check({ scheme: 'bearer', tokens: ['t'] })).toEqual([])
  })
})

const limitsOf = (settings: RateLimitSettings, sharedBy = 1) =>
  new RateLimits(settings, sharedBy, undefined, testContext().metrics)

function errorOf(limited: () => void): HeadgateError {
  try {
    limited()
  } catch (thrown) {
    if (thrown instanceof HeadgateError) return thrown
  }
  throw new Error('it was not limited')
}
