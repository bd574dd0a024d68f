import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { cxoneAck } from '../../../../src/plugins/post-commit/cxone-ack/index.js'
import { checkContext, fillDefaults } from '../../../helpers/context.js'
import { always, createAck, credentials, startAck } from './setup.js'

const receipt = { topic: 'orders', partition: 2, offset: 40 }

describe('what CXone is told', () => {
  test('an event is acknowledged with a POST that has no body, a JSON content type and a bearer token', async () => {
    const { cxone, ack } = await startAck()

    expect(await ack.acknowledge({ id: 'a-1', receipt })).toEqual({ kind: 'acknowledged' })

    expect(cxone.acknowledged).toEqual(new Map([['a-1', 1]]))
    expect(cxone.lastRequest).toMatchObject({ method: 'POST', url: '/api/v2/data/actions/a-1/acknowledge' })
    expect(cxone.lastRequest?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '0',
      authorization: expect.stringMatching(/^Bearer \S+$/),
    })
    expect(cxone.lastRequest?.headers).not.toHaveProperty('traceparent')
  })

  test('the trace context of the sender is passed on', async () => {
    const { cxone, ack } = await startAck()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

    await ack.acknowledge({ id: 'a-1', traceparent, tracestate: 'vendor=1,other=2' })

    expect(cxone.lastRequest?.headers).toMatchObject({ traceparent, tracestate: 'vendor=1,other=2' })

    await ack.acknowledge({ id: 'a-2', traceparent })

    expect(cxone.lastRequest?.headers).toMatchObject({ traceparent })
    expect(cxone.lastRequest?.headers).not.toHaveProperty('tracestate')
  })

  test('an id arrives as it is, whatever characters it has', async () => {
    const { cxone, ack } = await startAck()
    const ids = fc.string({ unit: 'binary', minLength: 1 }).filter((id) => id !== '.' && id !== '..')

    await fc.assert(
      fc.asyncProperty(ids, async (id) => {
        expect(await ack.acknowledge({ id })).toEqual({ kind: 'acknowledged' })
        expect(cxone.acknowledged.has(id)).toBe(true)
      }),
      { examples: [['a/b?c#d %2F'], ['Grüße/日本/🙂'], ['__proto__']] },
    )
  })

  test.each(['.', '..', 'a\ud800'])(
    'an id that no path can carry (%j) is given up without a request',
    async (id) => {
      const { cxone, ack } = await startAck()

      expect(await ack.acknowledge({ id })).toMatchObject({
        kind: 'give-up',
        error: { code: 'HG_ACK_REQUEST' },
      })
      expect(cxone.responses.size).toBe(0)
    },
  )

  test('method, path, body, base path and token path are settings', async () => {
    const { url, requests } = await recordingServer()
    const { ack } = createAck(`${url}/tenant/7/`, {
      method: 'PUT',
      path: '/v1/{topic}/{partition}/{offset}/done?id={id}',
      body: '{"id":"{id}","done":true}',
      oauth: { tokenUrl: '/auth/token?realm=x' },
    })

    expect(await ack.acknowledge({ id: 'a "b"&c', receipt })).toEqual({ kind: 'acknowledged' })

    expect(requests).toMatchObject([
      { method: 'POST', url: '/tenant/7/auth/token?realm=x' },
      {
        method: 'PUT',
        url: '/tenant/7/v1/orders/2/40/done?id=a%20%22b%22%26c',
        body: '{"id":"a \\"b\\"&c","done":true}',
      },
    ])
  })

  test('an event without a record is given up where the request needs the place of the record', async () => {
    const { ack } = await startAck({ path: '/acknowledge/{topic}' })

    expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({
      kind: 'give-up',
      error: { code: 'HG_ACK_REQUEST', message: expect.stringContaining('{topic}') },
    })
  })
})

describe('what a response means', () => {
  test('409 is success: it was acknowledged before', async () => {
    const { cxone, ack } = await startAck()

    await ack.acknowledge({ id: 'a-1' })
    expect(await ack.acknowledge({ id: 'a-1' })).toEqual({ kind: 'acknowledged' })

    expect(cxone.acknowledged.get('a-1')).toBe(2)
    expect(cxone.responses.get('409')).toBe(1)
  })

  test('404 is given up, and the error names the request and the status', async () => {
    const { cxone, ack } = await startAck()
    cxone.script('acknowledge', [{ status: 404 }])

    expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({
      kind: 'give-up',
      error: {
        code: 'HG_ACK_GAVE_UP',
        message: 'POST /api/v2/data/actions/{id}/acknowledge failed with status 404.',
      },
    })
  })

  test('429 throttles everybody for the seconds in Retry-After', async () => {
    const { cxone, ack } = await startAck()
    cxone.script('acknowledge', [{ status: 429, headers: { 'retry-after': '120' } }])

    const attempt = await ack.acknowledge({ id: 'a-1' })

    expect(attempt).toMatchObject({
      kind: 'retry',
      after: 120_000,
      throttled: true,
      error: { code: 'HG_ACK_RETRY' },
    })
  })

  test('429 throttles everybody until the date in Retry-After', async () => {
    const { cxone, ack } = await startAck()
    const date = new Date(Date.now() + 60_000).toUTCString()
    cxone.script('acknowledge', [{ status: 429, headers: { 'retry-after': date } }])

    const attempt = await ack.acknowledge({ id: 'a-1' })

    expect(attempt).toMatchObject({ kind: 'retry', throttled: true })
    expect(attempt.kind === 'retry' && attempt.after).toBeGreaterThan(0)
    expect(attempt.kind === 'retry' && attempt.after).toBeLessThanOrEqual(60_000)
  })

  test('a Retry-After longer than maxRetryAfter is cut', async () => {
    const { cxone, ack } = await startAck({ maxRetryAfter: '2m' })
    cxone.script('acknowledge', [{ status: 429, headers: { 'retry-after': '86400' } }])

    expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({ kind: 'retry', after: 120_000 })
  })

  test.each([408, 425, 500, 502, 503, 504, 599])(
    '%i is tried again, and holds up nobody else',
    async (status) => {
      const { cxone, ack } = await startAck()
      cxone.script('acknowledge', [{ status }])

      const attempt = await ack.acknowledge({ id: 'a-1' })

      expect(attempt).toMatchObject({ kind: 'retry', error: { code: 'HG_ACK_RETRY' } })
      expect(attempt).not.toHaveProperty('throttled')
      expect(attempt).not.toHaveProperty('after')
      expect(await ack.acknowledge({ id: 'a-1' })).toEqual({ kind: 'acknowledged' })
    },
  )

  test('with a list of its own, only what it names is given up', async () => {
    const { cxone, ack } = await startAck({ statuses: { giveUp: [404, 410] } })
    cxone.script('acknowledge', [{ status: 410 }, { status: 403 }])

    expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({ kind: 'give-up' })
    expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({ kind: 'retry' })
  })

  test('a body larger than anybody needs does not change what the status says', async () => {
    const { cxone, ack } = await startAck()
    cxone.script('acknowledge', [{ status: 200, body: 'x'.repeat(1_000_000) }])

    expect(await ack.acknowledge({ id: 'a-1' })).toEqual({ kind: 'acknowledged' })
    expect(await ack.acknowledge({ id: 'a-2' })).toEqual({ kind: 'acknowledged' })
  })
})

describe('when there is no response', () => {
  test('a connection that is reset is tried again', async () => {
    const { cxone, ack } = await startAck()
    cxone.script('acknowledge', ['reset'])

    expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({
      kind: 'retry',
      error: {
        code: 'HG_ACK_RETRY',
        message: expect.stringMatching(/got no response: (ECONNRESET|UND_ERR_SOCKET)\.$/),
      },
    })
    expect(await ack.acknowledge({ id: 'a-1' })).toEqual({ kind: 'acknowledged' })
  })

  test('silence ends with the timeout', async () => {
    const { cxone, ack } = await startAck({ timeout: '50ms' })
    cxone.script('acknowledge', ['hang'])

    expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({
      kind: 'retry',
      error: { code: 'HG_ACK_RETRY', message: expect.stringContaining('no complete response within 0.05 s') },
    })
  })

  test('every attempt ends while nobody listens, also those that wait for a connection', async () => {
    const { cxone, ack } = await startAck({ connections: 2 })
    await ack.acknowledge({ id: 'a-1' })
    await cxone.close()

    const attempts = await Promise.all(
      Array.from({ length: 20 }, (_, n) => ack.acknowledge({ id: `b-${n}` })),
    )

    for (const attempt of attempts)
      expect(attempt).toMatchObject({ kind: 'retry', error: { code: 'HG_ACK_RETRY' } })
  })

  test('what is under way ends when the process no longer waits, and so does stop', async () => {
    const { cxone, ack, context } = await startAck({ connections: 1 })
    await ack.start?.()
    cxone.script('acknowledge', always('hang'))
    const attempts = ['a-1', 'a-2', 'a-3'].map((id) => ack.acknowledge({ id }))
    await expect.poll(() => cxone.responses.get('hang')).toBe(1)

    const stopped = ack.stop?.()
    context.abort()

    for (const attempt of await Promise.all(attempts)) expect(attempt).toMatchObject({ kind: 'retry' })
    await stopped
  })

  test('stop lets a request that is under way finish', async () => {
    const held: ServerResponse[] = []
    const { url } = await recordingServer((response) => held.push(response))
    const { ack } = createAck(url)
    const attempt = ack.acknowledge({ id: 'a-1' })
    await expect.poll(() => held.length).toBe(1)

    const stopped = ack.stop?.()
    held[0]?.end()

    expect(await attempt).toEqual({ kind: 'acknowledged' })
    await stopped
  })

  test('a response that trickles without end does not keep its connection for ever', async () => {
    const { url } = await recordingServer((response) => {
      const trickle = setInterval(() => response.write('.'), 5)
      response.on('close', () => clearInterval(trickle))
    })
    const { ack } = createAck(url, { connections: 1, timeout: '500ms' })

    const attempts = await Promise.all([ack.acknowledge({ id: 'a-1' }), ack.acknowledge({ id: 'a-2' })])

    expect(attempts).toEqual([{ kind: 'acknowledged' }, { kind: 'acknowledged' }])
  })
})

describe('what the config is checked for', () => {
  const check = (config: object) => {
    const filled = fillDefaults(cxoneAck, { baseUrl: 'https://api.example.com', ...credentials, ...config })
    return [...(cxoneAck.check?.(filled, checkContext()) ?? [])]
  }

  test('the defaults have no problem', () => {
    expect(check({})).toEqual([])
  })

  test('an unknown placeholder is reported', () => {
    expect(check({ path: '/x/{action-id}', body: '{"at":"{time}"}' })).toMatchObject([
      { at: '/path', code: 'HG_CONFIG_VALUE', message: 'There is no placeholder {action-id}.' },
      { at: '/body', code: 'HG_CONFIG_VALUE', message: 'There is no placeholder {time}.' },
    ])
  })

  test('a client id with a colon is reported, unless it is sent in another way', () => {
    const clientId = 'client:1'
    expect(check({ clientId })).toMatchObject([{ at: '/clientId', code: 'HG_CONFIG_CONFLICT' }])
    for (const clientAuthentication of ['body', 'basic-form-encoded'])
      expect(check({ clientId, oauth: { clientAuthentication } })).toEqual([])
    expect(check({ clientId, oauth: { grant: { type: 'access_key' } } })).toEqual([])
  })

  test.each(['0s', '30d'])('%s as a timeout is reported', (timeout) => {
    expect(check({ timeout })).toMatchObject([{ at: '/timeout', code: 'HG_CONFIG_VALUE' }])
  })

  test('a URL that only looks like one is reported, and not quoted', () => {
    const [problem, ...others] = check({ baseUrl: 'https://[bad' })
    expect(problem).toMatchObject({ at: '/baseUrl', code: 'HG_CONFIG_VALUE' })
    expect(problem?.message).not.toContain('bad')
    expect(others).toEqual([])
    expect(check({ oauth: { tokenUrl: 'https://x:99999999/' } })).toMatchObject([{ at: '/oauth/tokenUrl' }])
  })

  test.each([
    { baseUrl: 'ftp://api.example.com' },
    { baseUrl: 'https://user:password@api.example.com' },
    { path: 'no-slash' },
    { path: '/x/{id' },
    { statuses: { retry: [99] } },
    { statuses: { retry: ['5xy'] } },
    { oauth: { grant: { type: 'password', username: 'u' } } },
    { oauth: { scopes: ['two words'] } },
    { timeout: 'soon' },
  ])('%j does not fit the schema', (config) => {
    expect(() => check(config)).toThrow(TypeError)
  })
})

interface Recorded {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly body: string
}

/** A server that has a token for everybody, remembers what it was asked, and answers the rest with `answer`. */
async function recordingServer(
  answer: (response: ServerResponse) => void = (response) => response.end('{}'),
): Promise<{ url: string; requests: Recorded[] }> {
  const requests: Recorded[] = []
  const server = createServer(async (request, response) => {
    requests.push({ method: request.method, url: request.url, body: await text(request) })
    if (request.url?.includes('/token')) response.end('{"access_token":"t","token_type":"bearer"}')
    else answer(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}
