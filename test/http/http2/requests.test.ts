import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Agent, request } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Networks } from '../../../src/lib/networks.js'
import { noOpenssl } from '../../helpers/certificates.js'
import { rawSecureConnection } from '../../helpers/raw-connection.js'
import { until } from '../../helpers/until.js'
import { echo, held, ok } from '../setup.js'
import { certificate, client, listenSecure, send } from './setup.js'

describe.skipIf(noOpenssl !== undefined)('listener: requests of HTTP/2', () => {
  test('a request gets the response of its handler, who sees it as any other', async () => {
    const { handler, requests } = echo()
    const { port, statuses } = await listenSecure(handler)
    const session = await client(port)
    const more = { ':path': '/in?a=b', 'x-tag': ['one', 'two'], 'x-request-id': 'mine' }
    const { status, headers, text } = await send(session, 'hi', more)
    expect({ status, text }).toEqual({ status: 200, text: 'hi' })
    expect(headers).toMatchObject({ 'content-length': '2', 'x-request-id': 'mine' })
    expect(requests[0]).toMatchObject({ method: 'POST', target: '/in?a=b', remoteAddress: '127.0.0.1' })
    expect(requests[0]?.headers).toEqual({
      host: `localhost:${port}`,
      'x-tag': 'one, two',
      'x-request-id': 'mine',
    })
    expect(requests[0]?.isRepeated('x-tag')).toBe(true)
    expect(requests[0]?.isRepeated('x-request-id')).toBe(false)
    expect(statuses.pipeline).toEqual([200])
  })

  test('clients that prefer HTTP/2 get it, and others HTTP/1 on the same port', async () => {
    const { port, post } = await listenSecure(echo().handler)
    const dispatcher = new Agent({ allowH2: true, connect: { ca: certificate().cert } })
    onTestFinished(() => dispatcher.destroy())
    const url = `https://localhost:${port}/in`
    const { headers, body } = await request(url, { method: 'POST', body: 'hi', dispatcher })
    expect(await body.text()).toBe('hi')
    // HTTP/2 has none of it.
    expect(headers['keep-alive']).toBeUndefined()
    const other = await post('/in', 'hi')
    expect(other.text).toBe('hi')
    expect(other.headers['keep-alive']).toBe('timeout=65')
  })

  test('a hundred requests of a connection get their responses in any order', async () => {
    const { handler, waiting } = held()
    const { port, statuses, listener } = await listenSecure(handler)
    const session = await client(port)
    const responses = Array.from({ length: 100 }, (_, index) => send(session, String(index)))
    await until(() => waiting.length === 100)
    expect(listener.usage()).toEqual({ connections: 100, bodyBytes: 190 })
    for (const [index, respond] of [...waiting.entries()].reverse()) respond(ok(`to ${index}`))
    const texts = (await Promise.all(responses)).map(({ text }) => text)
    expect(texts).toEqual(texts.map((_, index) => `to ${index}`))
    expect(statuses.pipeline).toHaveLength(100)
    await until(() => listener.usage().connections === 1)
    expect(listener.usage().bodyBytes).toBe(0)
  })

  test('a body may come in pieces', async () => {
    const { port } = await listenSecure(echo({ maxBodyBytes: 1_000_000 }).handler)
    const session = await client(port)
    const body = Array.from({ length: 50 }, (_, index) => `${index}`.padEnd(10_000, '.'))
    const stream = session.request({ ':method': 'POST', ':path': '/in' })
    for (const piece of body) stream.write(piece)
    stream.end()
    let text = ''
    for await (const piece of stream.setEncoding('utf8')) text += piece
    expect(text).toBe(body.join(''))
  })

  test('a request without a body, a method that its path does not have, and a path that nobody serves are no faults', async () => {
    const { port, statuses } = await listenSecure(echo({ methods: ['POST', 'HEAD'] }).handler)
    const session = await client(port)
    expect(await send(session, '')).toMatchObject({ status: 200, text: '' })
    expect(await send(session, '', { ':method': 'HEAD' })).toMatchObject({ status: 200, text: '' })
    const { status, headers } = await send(session, '', { ':method': 'GET' })
    expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: 'POST, HEAD' })
    expect(await send(session, 'hi', { ':path': '/nowhere' })).toMatchObject({ status: 404 })
    expect(statuses).toEqual({ pipeline: [200, 200, 405], nobody: [404] })
  })

  test.each([
    ['Content-Length promises', { 'content-length': 1_000_000 }],
    ['arrives', {}],
  ])(
    'a body that is too large is refused as soon as it %s, and its connection goes on',
    async (_what, head) => {
      const { port, listener } = await listenSecure(echo().handler)
      const session = await client(port)
      expect(await send(session, 'x'.repeat(1_000_000), head)).toMatchObject({
        status: 413,
        text: 'too large',
      })
      expect(listener.usage().bodyBytes).toBe(0)
      expect(await send(session, 'hi')).toMatchObject({ status: 200 })
    },
  )

  test('there is one limit of memory for bodies', async () => {
    const { handler, waiting } = held()
    const { port, post } = await listenSecure(handler, { maxBodyMemory: 1024 })
    const session = await client(port)
    const first = send(session, 'x'.repeat(1000))
    await until(() => waiting.length === 1)
    expect(await send(session, 'x'.repeat(100))).toMatchObject({ status: 503, text: 'no memory' })
    expect(await post('/in', 'x'.repeat(100))).toMatchObject({ status: 503 })
    waiting[0]?.(ok('done'))
    expect((await first).text).toBe('done')
  })

  test('a sender that waits for 100 Continue gets it, and other expectations are refused', async () => {
    const { port } = await listenSecure(echo().handler)
    const session = await client(port)
    const stream = session.request({ ':method': 'POST', ':path': '/in', expect: '100-continue' })
    await once(stream, 'continue')
    stream.end('hi')
    const [head] = await once(stream, 'response')
    expect(head[':status']).toBe(200)
    expect(await send(session, '', { expect: 'miracles' })).toMatchObject({ status: 417 })
  })

  test.each([
    ['too long', { 'x-long': 'x'.repeat(17_000) }, 431, 'HG_INTAKE_HEADERS_TOO_LARGE'],
    ['too many', { 'x-many': Array(101).fill('x') }, 431, 'HG_INTAKE_HEADERS_TOO_LARGE'],
    ['of two hosts', { ':authority': 'localhost', host: 'elsewhere' }, 400, 'HG_INTAKE_MALFORMED'],
  ])('headers that are %s are refused with the reason', async (_what, headers, status, code) => {
    const { handler, requests } = echo()
    const { port, statuses } = await listenSecure(handler)
    const session = await client(port)
    const response = await send(session, 'hi', headers)
    expect(response).toMatchObject({ status, text: expect.stringContaining(code) })
    expect(response.headers['x-request-id']).toBeDefined()
    expect(requests).toEqual([])
    expect(statuses.nobody).toEqual([status])
  })

  test('as many headers as allowed are accepted', async () => {
    const { port } = await listenSecure(echo().handler)
    const session = await client(port)
    expect(await send(session, 'hi', { 'x-many': Array(100).fill('x') })).toMatchObject({ status: 200 })
  })

  test('CONNECT is refused', async () => {
    const { port, statuses } = await listenSecure(echo().handler)
    const session = await client(port)
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'example.com:443' })
    const [head] = await once(stream, 'response')
    expect(head[':status']).toBe(405)
    expect(statuses.nobody).toEqual([405])
  })

  test('headers of a response that only HTTP/1 has are left out, and one that HTTP does not allow is a failure', async () => {
    const responses = [
      { status: 200, headers: { 'Keep-Alive': 'timeout=5', 'X-A': 'b' }, body: 'hi' },
      { status: 200, headers: { 'x-a': 'b\r\nc: d' }, body: 'hi' },
      { status: 204, headers: {}, body: '' },
    ]
    const { port } = await listenSecure(echo({ handle: async () => responses.shift() ?? ok('') }).handler)
    const session = await client(port)
    const first = await send(session, 'hi')
    expect(first).toMatchObject({ status: 200, text: 'hi', headers: { 'x-a': 'b' } })
    expect(first.headers['keep-alive']).toBeUndefined()
    expect(await send(session, 'hi')).toMatchObject({ status: 503 })
    expect(await send(session, 'hi')).toMatchObject({ status: 204, text: '' })
  })

  test('the address of the sender is the one that PROXY protocol tells', async () => {
    const { handler, requests } = echo()
    const { port } = await listenSecure(handler, { proxies: new Networks(['127.0.0.0/8']) })
    const below = connect(port, '127.0.0.1')
    await once(below, 'connect')
    below.write('PROXY TCP4 203.0.113.9 10.0.0.1 4711 443\r\n')
    const session = await client(port, {
      createConnection: () =>
        connectTls({ socket: below, servername: 'localhost', ca: certificate().cert, ALPNProtocols: ['h2'] }),
    })
    expect(await send(session, 'hi')).toMatchObject({ status: 200 })
    expect(requests[0]?.remoteAddress).toBe('203.0.113.9')
  })

  test('a client that does not ask for HTTP/2 cannot begin with it', async () => {
    const { port } = await listenSecure(echo().handler)
    const connection = await rawSecureConnection(port, { ca: certificate().cert })
    connection.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    expect(await connection.closed()).toMatch(/^HTTP\/1.1 505 /)
  })

  test('HTTP/2 can be switched off', async () => {
    const { port, post } = await listenSecure(echo().handler, { http2: false })
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      ca: certificate().cert,
      ALPNProtocols: ['h2', 'http/1.1'],
    })
    onTestFinished(() => void socket.destroy())
    await once(socket, 'secureConnect')
    expect(socket.alpnProtocol).toBe('http/1.1')
    expect((await post('/in', 'hi')).text).toBe('hi')
  })
})
