import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { drip, giveToken, type Responder, rawUpstream, response } from './raw-upstream.js'
import { createAck } from './setup.js'

const TOKEN = '{"access_token":"t","token_type":"bearer","expires_in":3600}'
const OK = response('200 OK')
const event = { id: 'a-1' }

async function against(acknowledge: Responder, token?: Responder, config: object = {}) {
  const upstream = await rawUpstream(acknowledge, token)
  return { upstream, ...createAck(upstream.url, config) }
}

/** Each request is answered so. */
const always =
  (...parts: readonly (string | Buffer)[]): Responder =>
  (socket) => {
    for (const part of parts) socket.write(part)
  }

/** Each request is answered with the beginning of a response, which then goes on and on. */
const thenDrip =
  (beginning: string, piece: string): Responder =>
  (socket) => {
    socket.write(beginning)
    drip(socket, piece)
  }

describe('interim responses', () => {
  test.each([
    ['100 Continue', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['100 Continue with headers', 'HTTP/1.1 100 Continue\r\nx-a: b\r\nconnection: keep-alive\r\n\r\n'],
    ['102 Processing', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['103 Early Hints', 'HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n'],
    ['199, which nobody knows', 'HTTP/1.1 199 Odd\r\n\r\n'],
    [
      'several, 100 among them',
      'HTTP/1.1 103 A\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
    ],
  ])('%s before the response to each request is read past', async (_case, interim) => {
    const { upstream, ack } = await against(always(interim, OK), always(interim, response('200 OK', TOKEN)), {
      connections: 1,
    })

    for (const id of ['a-1', 'a-2', 'a-3'])
      expect(await ack.acknowledge({ id })).toEqual({ kind: 'acknowledged' })

    // One call for each, and one for the token, on two connections that were used again.
    expect(upstream.requests).toHaveLength(4)
    expect(upstream.openConnections()).toBe(2)
  })

  test('100 Continue in pieces, with the response long after, is read past', async () => {
    const { ack } = await against((socket) => {
      socket.write('HTTP/1.1 10')
      setTimeout(() => socket.write('0 Continue\r\n'), 10)
      setTimeout(() => socket.write('\r\n'), 20)
      setTimeout(() => socket.write(OK), 40)
    })
    expect(await ack.acknowledge(event)).toEqual({ kind: 'acknowledged' })
  })

  test.each([100, 102, 103])(
    '%i without end and without a response ends with the timeout',
    async (status) => {
      const endless: Responder = (socket) => drip(socket, `HTTP/1.1 ${status} Wait\r\n\r\n`)
      const { ack } = await against(endless, undefined, { timeout: '100ms' })
      expect(await ack.acknowledge(event)).toMatchObject({
        kind: 'retry',
        error: {
          code: 'HG_ACK_RETRY',
          message: expect.stringMatching(/no complete response within 0\.1 s, only \d+ interim responses\.$/),
        },
      })
      const token = await against(always(OK), endless, { timeout: '100ms' })
      expect(await token.ack.acknowledge(event)).toMatchObject({
        kind: 'retry',
        error: { code: 'HG_ACK_TOKEN', message: expect.stringContaining('interim responses') },
      })
    },
  )

  test('a flood of interim responses ends the attempt before its time', async () => {
    const { ack } = await against(always('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2000)), undefined, {
      timeout: '1h',
    })
    expect(await ack.acknowledge(event)).toMatchObject({ kind: 'retry', error: { code: 'HG_ACK_RETRY' } })
  })

  test.each([
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  ])('a connection that becomes another protocol ends the attempt: %j', async (head) => {
    const { ack } = await against(always(head, OK))
    const message = expect.stringContaining('got no response: UND_ERR_SOCKET')
    expect(await ack.acknowledge(event)).toMatchObject({
      kind: 'retry',
      error: { code: 'HG_ACK_RETRY', message },
    })
  })
})

describe('responses that never end', () => {
  const slow = { timeout: '100ms', connections: 1 }

  test.each<readonly [string, Responder]>([
    ['a status line by bytes', (socket) => drip(socket, 'H')],
    ['headers without end', thenDrip('HTTP/1.1 200 OK\r\n', 'a: b\r\n')],
    ['silence', () => undefined],
  ])('%s: the attempt ends, and its connection is free', async (_case, acknowledge) => {
    const { ack, upstream } = await against(acknowledge, undefined, slow)
    const attempts = await Promise.all(['a', 'b', 'c'].map((id) => ack.acknowledge({ id })))
    for (const attempt of attempts)
      expect(attempt).toMatchObject({ kind: 'retry', error: { code: 'HG_ACK_RETRY' } })
    // Nothing stays open but the connection to the token endpoint.
    await expect.poll(upstream.openConnections).toBe(1)
  })

  test.each<readonly [string, Responder]>([
    ['a body that drips', thenDrip('HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n', '.')],
    [
      'a body that never comes',
      (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n'),
    ],
    ['chunks of one byte', thenDrip('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\n.\r\n')],
    [
      'trailers without end',
      thenDrip('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n', 'a: b\r\n'),
    ],
    ['a body until the connection closes', thenDrip('HTTP/1.1 200 OK\r\n\r\n', '.')],
  ])('%s: the status counts, and the connection is free after the timeout', async (_case, acknowledge) => {
    const { ack } = await against(acknowledge, undefined, slow)
    // Each needs the connection that the one before was using.
    const attempts = await Promise.all(['a', 'b', 'c'].map((id) => ack.acknowledge({ id })))
    expect(attempts).toEqual(Array(3).fill({ kind: 'acknowledged' }))
  })

  test('a token that drips is no token, and is not waited for longer than the timeout', async () => {
    const { ack } = await against(
      always(OK),
      thenDrip('HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n', ' '),
      { timeout: '100ms' },
    )
    expect(await ack.acknowledge(event)).toMatchObject({
      kind: 'retry',
      error: { code: 'HG_ACK_TOKEN', message: expect.stringContaining('no complete response within 0.1 s') },
    })
  })

  test('a redirect is followed by nobody: one call, and the status decides', async () => {
    const { ack, upstream } = await against(always(response('307 Temporary', '', ['location: /elsewhere'])))
    expect(await ack.acknowledge(event)).toMatchObject({ kind: 'give-up' })
    expect(upstream.requests).toHaveLength(2)
  })
})

describe('any 2xx is success', () => {
  test.each([200, 201, 202, 203, 204, 205, 206, 208, 226, 299])('%i', async (status) => {
    const text = status === 204 ? `HTTP/1.1 204 Fine\r\n\r\n` : response(`${status} Fine`)
    const { ack } = await against(always(text))
    expect(await ack.acknowledge(event)).toEqual({ kind: 'acknowledged' })
  })

  test('unless the operator says otherwise', async () => {
    const { ack } = await against(always(response('202 Later')), undefined, { statuses: { retry: [202] } })
    expect(await ack.acknowledge(event)).toMatchObject({ kind: 'retry' })
  })
})

describe('token responses', () => {
  const withToken = (grant: Buffer) => against(always(OK), always(grant))

  test.each(['201 Created', '202 Accepted', '203 Odd', '206 Partial'])(
    '%s brings a token',
    async (status) => {
      const { ack } = await withToken(response(status, TOKEN))
      expect(await ack.acknowledge(event)).toEqual({ kind: 'acknowledged' })
    },
  )

  test.each([
    ['gzip', gzipSync(TOKEN)],
    ['x-gzip', gzipSync(TOKEN)],
    ['GZip', gzipSync(TOKEN)],
    ['deflate', deflateSync(TOKEN)],
    ['deflate', deflateRawSync(TOKEN)],
    ['br', brotliCompressSync(TOKEN)],
    ['identity', Buffer.from(TOKEN)],
    ['deflate, gzip', gzipSync(deflateSync(TOKEN))],
  ])('Content-Encoding: %s, which nobody asked for, is decoded', async (coding, body) => {
    const { ack } = await withToken(response('200 OK', body, [`content-encoding: ${coding}`]))
    expect(await ack.acknowledge(event)).toEqual({ kind: 'acknowledged' })
  })

  test.each([
    ['a bomb', 'gzip', gzipSync(Buffer.alloc(50_000_000, 32)), 'more than 65536 bytes'],
    ['what is not encoded so', 'gzip', Buffer.from(TOKEN), 'not valid gzip'],
    ['an unknown coding', 'zstd', Buffer.from(TOKEN), 'none of gzip, deflate and br'],
    ['the name of a member of objects', 'constructor', Buffer.from(TOKEN), 'none of gzip'],
    ['codings without end', Array(9).fill('gzip').join(), gzipSync(TOKEN), 'too many times'],
  ])('%s is no token, and the error says why', async (_case, coding, body, message) => {
    const { ack } = await withToken(response('200 OK', body, [`content-encoding: ${coding}`]))
    expect(await ack.acknowledge(event)).toMatchObject({
      kind: 'retry',
      error: { code: 'HG_ACK_TOKEN', message: expect.stringContaining(message) },
    })
  })

  test.each([
    '"BearerToken"',
    '"Bearer"',
    '"bearer"',
    '"BEARER"',
    '"bearer token"',
    '" Bearer "',
    '""',
    'null',
  ])('token_type %s means bearer', async (type) => {
    const { ack, upstream } = await withToken(response('200 OK', `{"access_token":"t","token_type":${type}}`))
    expect(await ack.acknowledge(event)).toEqual({ kind: 'acknowledged' })
    expect(upstream.requests[1]).toContain('authorization: Bearer t')
  })

  test.each(['"mac"', '"DPoP"', '7', '["bearer"]'])('token_type %s does not', async (type) => {
    const { ack } = await withToken(response('200 OK', `{"access_token":"t","token_type":${type}}`))
    expect(await ack.acknowledge(event)).toMatchObject({ kind: 'retry', error: { code: 'HG_ACK_TOKEN' } })
  })

  test.each<readonly [string, number]>([
    ['3600', 3600],
    ['3600.5', 3600],
    ['"3600"', 3600],
    ['1e300', 365 * 24 * 3600],
    ['0.000001', 1],
    // Nothing is known: five minutes, unless a 401 says otherwise.
    ...['-1', '0', '""', '"soon"', 'null', 'true', '"Infinity"', '{}'].map((text) => [text, 300] as const),
  ])('expires_in %s is about %d seconds', async (text, seconds) => {
    const { ack, context } = await withToken(response('200 OK', `{"access_token":"t","expires_in":${text}}`))
    expect(await ack.acknowledge(event)).toEqual({ kind: 'acknowledged' })
    const expiry = context.values.get('oauth_token_expiry_timestamp_seconds') ?? 0
    expect(Math.abs(expiry - Date.now() / 1000 - seconds)).toBeLessThan(20)
  })

  test('a byte order mark before the JSON is nothing', async () => {
    const { ack } = await withToken(response('200 OK', `\ufeff${TOKEN}`))
    expect(await ack.acknowledge(event)).toEqual({ kind: 'acknowledged' })
  })

  test('a lifetime of next to nothing does not make every attempt ask for a token', async () => {
    const { ack, upstream } = await withToken(
      response('200 OK', '{"access_token":"t","expires_in":0.000001}'),
    )
    for (let n = 0; n < 20; n++) await ack.acknowledge({ id: String(n) })
    expect(upstream.requests.filter((head) => head.includes('/oauth/token')).length).toBeLessThan(10)
  })
})

describe('requests that cannot be made', () => {
  test.each([
    ['a line end in traceparent', { traceparent: '00-a\r\nx-evil: 1' }],
    ['a line end in tracestate', { traceparent: '00', tracestate: 'a=b\n' }],
    ['a zero byte in traceparent', { traceparent: '00\0' }],
    ['a character that no header has', { traceparent: '00-\u2028' }],
  ])('%s: given up at once, without a call, with a code of its own', async (_case, trace) => {
    const { ack, upstream } = await against(always(OK), giveToken)
    expect(await ack.acknowledge({ id: 'a-1', ...trace })).toMatchObject({
      kind: 'give-up',
      error: { code: 'HG_ACK_REQUEST', message: expect.stringContaining('cannot be made') },
    })
    expect(upstream.requests.filter((head) => head.includes('acknowledge'))).toEqual([])
    expect(await ack.acknowledge({ id: 'a-2' })).toEqual({ kind: 'acknowledged' })
  })
})
