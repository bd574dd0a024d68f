import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { Listener } from '../../src/http/listener.js'
import { testContext } from '../helpers/context.js'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'
import { echo, held, listen, ok } from './setup.js'

describe('listener: routing', () => {
  it('passes a request to the handler of its path and reports the status to the pipeline', async () => {
    const { handler, requests } = echo()
    const { post, statuses } = await listen(handler)
    expect(await post('/in', 'hello')).toMatchObject({
      status: 200,
      text: 'hello',
      headers: { 'content-length': '5' },
    })
    expect(requests).toMatchObject([{ method: 'POST', headers: { 'content-length': '5' } }])
    expect(statuses).toEqual({ pipeline: [200], nobody: [] })
  })

  it('ignores the query string', async () => {
    const { post } = await listen(echo().handler)
    expect((await post('/in?token=1&x=/other', 'a')).status).toBe(200)
  })

  it('understands the absolute form that proxies send', async () => {
    const { port } = await listen(echo().handler)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', 'http://somewhere.example/in?x=1', { 'content-length': 2 }, 'hi'))
    expect(await connection.until((text) => text.endsWith('\r\n\r\nhi'))).toMatch(/^HTTP\/1.1 200 /)
  })

  it.each(['http://a/x/../in', 'http://a/%69n', 'http://a\\in', 'ftp://a/in', 'http:/in'])(
    'does not make another path of %s',
    async (target) => {
      const { handler, requests } = echo()
      const { port } = await listen(handler)
      const connection = await rawConnection(port)
      connection.send(rawRequest('POST', target, { 'content-length': 2, connection: 'close' }, 'hi'))
      expect(await connection.closed()).toMatch(/^HTTP\/1.1 40[04] /)
      expect(requests).toEqual([])
    },
  )

  it('responds to an unknown expectation with an error, and counts it for the pipeline', async () => {
    const { handler, requests } = echo()
    const { port, statuses } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { expect: '200-ok', 'content-length': 2 }, 'hi'))
    expect(await connection.closed()).toMatch(
      /^HTTP\/1.1 417 [\s\S]*application\/problem\+json[\s\S]*HG_INTAKE_EXPECTATION/,
    )
    expect(requests).toEqual([])
    expect(statuses).toEqual({ pipeline: [417], nobody: [] })
  })

  it('responds 404 on a path without a route, and keeps the connection', async () => {
    const { port, statuses } = await listen(echo().handler)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/other', { 'content-length': 3 }, 'abc'))
    const refused = await connection.until((text) => text.endsWith('}'))
    expect(refused).toMatch(/^HTTP\/1.1 404 [\s\S]*application\/problem\+json[\s\S]*HG_INTAKE_NOT_FOUND/)
    connection.send(rawRequest('POST', '/in', { 'content-length': 2 }, 'hi'))
    await connection.until((text) => text.endsWith('\r\n\r\nhi'))
    expect(statuses).toEqual({ pipeline: [200], nobody: [404] })
  })

  it('responds 405 with Allow to a method that the path does not accept', async () => {
    const { handler, requests } = echo({ methods: ['POST', 'PUT'] })
    const { post, statuses } = await listen(handler)
    const answer = await post('/in', '', 'GET')
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST, PUT' } })
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'HG_INTAKE_METHOD' })
    expect((await post('/in', 'x', 'PUT')).status).toBe(200)
    expect(requests).toHaveLength(1)
    expect(statuses.pipeline).toEqual([405, 200])
  })

  it('serves a path for one pipeline at a time, and again after it was released', async () => {
    const { http, listener, unserve, post } = await listen(echo().handler)
    const other = listener.bind('other', () => {})
    expect(() => other.serve('/in', echo().handler)).toThrow('Pipeline "orders" already serves /in.')
    unserve()
    expect((await post('/in', 'a')).status).toBe(404)
    other.serve('/in', echo({ handle: async () => ok('other') }).handler)
    unserve()
    expect((await post('/in', 'a')).text).toBe('other')
    expect(() => http.serve('/in', echo().handler)).toThrow(HeadgateError)
  })

  it('names the address that it cannot listen on', async () => {
    const { port, log } = await listen(echo().handler)
    const second = new Listener({ host: '127.0.0.1', port, log, onResponse: () => {} })
    await expect(second.open()).rejects.toMatchObject({
      code: 'HG_LISTEN_FAILED',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    })
    await second.close()
  })
})

describe('listener: bodies', () => {
  it('joins a body that arrives in pieces', async () => {
    const { handler, requests } = echo()
    const { port } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'transfer-encoding': 'chunked' }))
    for (const piece of ['5\r\nhello\r\n', '1\r\n \r\n', '5\r\nworld\r\n', '0\r\n\r\n']) {
      connection.send(piece)
      await nextTurn()
    }
    await connection.until((text) => text.endsWith('hello world'))
    expect(requests[0]?.body.toString()).toBe('hello world')
  })

  it('accepts a body of exactly the limit, and an empty one', async () => {
    const { post } = await listen(echo().handler)
    expect((await post('/in', 'x'.repeat(1024))).status).toBe(200)
    expect(await post('/in', '')).toMatchObject({ status: 200, text: '' })
  })

  it('refuses a Content-Length over the limit without reading the body', async () => {
    const { handler, requests } = echo()
    const { port, statuses } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'content-length': 1_000_000_000 }))
    const answer = await connection.until((text) => text.endsWith('too large'))
    expect(answer).toMatch(/^HTTP\/1.1 413 [\s\S]*connection: close\r\n/i)
    expect(requests).toEqual([])
    expect(statuses.pipeline).toEqual([413])
  })

  it('stops reading a chunked body that never ends, after the response has arrived', async () => {
    const { handler, requests } = echo()
    const { port } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'transfer-encoding': 'chunked' }))
    const endless = setInterval(() => connection.send(`400\r\n${'x'.repeat(1024)}\r\n`), 1)
    onTestFinished(() => clearInterval(endless))
    expect(await connection.closed()).toMatch(/^HTTP\/1.1 413 [\s\S]*\r\n\r\ntoo large$/)
    expect(requests).toEqual([])
  })

  it('gives a sender that does not read while it sends its response before it closes the connection', async () => {
    const { port, statuses } = await listen(echo().handler)
    const connection = await rawConnection(port)
    connection.pause()
    connection.send(rawRequest('POST', '/in', { 'content-length': 1_000_000_000 }))
    await until(() => statuses.pipeline.length === 1)
    for (let piece = 0; piece < 5; piece++) {
      connection.send('x'.repeat(1024))
      await nextTurn()
    }
    connection.resume()
    expect(await connection.until((text) => text.endsWith('too large'))).toMatch(/^HTTP\/1.1 413 /)
  })

  it('asks for the body only if the head is valid', async () => {
    const { handler } = echo({
      head: ({ headers }) => (headers['x-no'] ? { ...ok('no'), status: 401 } : undefined),
    })
    const { port } = await listen(handler)
    const refused = await rawConnection(port)
    refused.send(rawRequest('POST', '/in', { expect: '100-continue', 'content-length': 2, 'x-no': 1 }))
    expect(await refused.until((text) => text.endsWith('no'))).toMatch(/^HTTP\/1.1 401 /)
    const welcome = await rawConnection(port)
    welcome.send(rawRequest('POST', '/in', { expect: '100-continue', 'content-length': 2 }))
    await welcome.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n')
    welcome.send('hi')
    await welcome.until((text) => text.endsWith('\r\n\r\nhi'))
  })

  it('ignores an event whose sender left in the middle of the body', async () => {
    const { handler, requests } = echo()
    const { port, post, statuses, lines } = await listen(handler)
    const [cut, ended] = [await rawConnection(port), await rawConnection(port)]
    cut.send(rawRequest('POST', '/in', { 'content-length': 100 }, 'half'))
    cut.cut()
    ended.send(rawRequest('POST', '/in', { 'content-length': 100 }, 'half'))
    ended.end()
    expect(await ended.closed()).toBe('')
    await post('/in', 'whole')
    expect(requests.map(({ body }) => body.toString())).toEqual(['whole'])
    expect(statuses).toEqual({ pipeline: [200], nobody: [] })
    expect(lines).toEqual([])
  })

  it('processes an event whose sender left after the body', async () => {
    const finished: string[] = []
    const { handler, waiting } = held()
    const { port, statuses, listener } = await listen({
      ...handler,
      async handle(request) {
        const answer = await handler.handle(request)
        finished.push(request.body.toString())
        return answer
      },
    })
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'content-length': 5 }, 'whole'))
    await until(() => waiting.length === 1)
    connection.cut()
    await connection.closed()
    waiting[0]?.(ok('done'))
    await until(() => finished.length === 1)
    await listener.close()
    expect(finished).toEqual(['whole'])
    expect(statuses.pipeline).toEqual([])
  })
})

describe('listener: malformed requests', () => {
  it('refuses Content-Length together with Transfer-Encoding', async () => {
    const { handler, requests } = echo()
    const { port, statuses } = await listen(handler)
    const connection = await rawConnection(port)
    const smuggled = '0\r\n\r\nPOST /in HTTP/1.1\r\n'
    connection.send(
      rawRequest('POST', '/in', { 'content-length': 30, 'transfer-encoding': 'chunked' }, smuggled),
    )
    const answer = await connection.closed()
    expect(answer).toMatch(
      /^HTTP\/1.1 400 Bad Request\r\n[\s\S]*connection: close\r\n[\s\S]*HG_INTAKE_MALFORMED/,
    )
    expect(requests).toEqual([])
    expect(statuses).toEqual({ pipeline: [], nobody: [400] })
  })

  it.each([
    [
      'two different lengths',
      'POST /in HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi',
    ],
    ['a folded header', 'POST /in HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\ncontent-length: 2\r\n\r\nhi'],
    ['a space before a colon', 'POST /in HTTP/1.1\r\nhost: a\r\ncontent-length : 2\r\n\r\nhi'],
    [
      'bare line feeds in a chunked body',
      'POST /in HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\nhi\n0\n\n',
    ],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01'],
  ])('refuses %s', async (_what, bytes) => {
    const { handler, requests } = echo()
    const { port } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(bytes)
    expect(await connection.closed()).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/)
    expect(requests).toEqual([])
  })

  it('refuses headers that are too large', async () => {
    const { port, statuses } = await listen(echo().handler)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'x-large': 'x'.repeat(17 * 1024), 'content-length': 0 }))
    expect(await connection.closed()).toMatch(/^HTTP\/1.1 431 [\s\S]*HG_INTAKE_HEADERS_TOO_LARGE/)
    expect(statuses.nobody).toEqual([431])
  })

  const chunked = 'POST /in HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n'

  it.each([
    ['small headers', `POST /in HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(9000)}`, 431],
    ['trailers', `${chunked}\r\n2\r\nhi\r\n0\r\n${'x: y\r\n'.repeat(9000)}`, 431],
    ['chunk extensions', `${chunked}\r\n2;${'x'.repeat(20_000)}\r\nhi\r\n0\r\n\r\n`, 400],
  ])('refuses a flood of %s', async (_what, bytes, status) => {
    const { handler, requests } = echo()
    const { port, statuses, listener } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(bytes)
    expect(await connection.closed()).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(requests).toEqual([])
    expect(statuses.nobody).toEqual([status])
    await until(() => listener.usage().connections + listener.usage().bodyBytes === 0)
  })

  const hasty = { timeouts: { headers: 300, request: 500, checkEvery: 10 } }

  it('cancels headers that arrive too slowly', async () => {
    const { port, statuses } = await listen(echo().handler, hasty)
    const connection = await rawConnection(port)
    connection.send('POST /in HTTP/1.1\r\nhost: a\r\n')
    const trickle = setInterval(() => connection.send('x: y\r\n'), 10)
    onTestFinished(() => clearInterval(trickle))
    expect(await connection.closed()).toMatch(/^HTTP\/1.1 408 [\s\S]*HG_INTAKE_TOO_SLOW/)
    expect(statuses.nobody).toEqual([408])
  })

  it('cancels a body that arrives too slowly', async () => {
    const { handler, requests } = echo()
    const { port } = await listen(handler, hasty)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'content-length': 1000 }))
    const trickle = setInterval(() => connection.send('x'), 10)
    onTestFinished(() => clearInterval(trickle))
    expect(await connection.closed()).toMatch(/^HTTP\/1.1 408 [\s\S]*HG_INTAKE_TOO_SLOW/)
    expect(requests).toEqual([])
  })

  it('responds to a refused request once, although its body then arrives too slowly', async () => {
    const { port, statuses } = await listen(echo().handler, hasty)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/other', { 'content-length': 1000 }, 'and no more'))
    expect((await connection.closed()).match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 404'])
    expect(statuses.nobody).toEqual([404])
  })

  it('does not wait for ever for a sender that does not read its responses', async () => {
    const { handler } = echo({ handle: async () => ok('x'.repeat(1024 * 1024)) })
    const { port, statuses } = await listen(handler, { timeouts: { inactive: 100 } })
    const connection = await rawConnection(port)
    connection.pause()
    connection.send(rawRequest('POST', '/in', { 'content-length': 0 }).repeat(100))
    await until(() => statuses.pipeline.length > 0)
    // A paused socket learns of the reset by writing; more often, it would not be inactive.
    const knock = setInterval(() => connection.send('\r\n'), 300)
    onTestFinished(() => clearInterval(knock))
    await connection.closed()
  })

  it('closes a connection that has sent nothing, without a response', async () => {
    const { port, statuses } = await listen(echo().handler, hasty)
    expect(await (await rawConnection(port)).closed()).toBe('')
    expect(statuses.nobody).toEqual([])
  })

  it.each([
    ['garbage', 'garbage\r\n\r\n'],
    ['a byte too many', '}'],
  ])(
    'sends the open responses before it refuses %s, and counts what it has written',
    async (_what, bytes) => {
      const { handler, waiting } = held()
      const { port, statuses } = await listen(handler)
      const connection = await rawConnection(port)
      const request = rawRequest('POST', '/in', { 'content-length': 2 }, 'hi')
      connection.send(request + request + bytes)
      await until(() => waiting.length === 2)
      connection.send('more of it\r\n\r\n')
      await nextTurn()
      expect(statuses).toEqual({ pipeline: [], nobody: [] })
      for (const answer of waiting.reverse()) answer(ok('late'))
      const answers = (await connection.closed()).match(/HTTP\/1.1 \d+/g)
      expect(answers).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400'])
      expect(statuses).toEqual({ pipeline: [200, 200], nobody: [400] })
    },
  )

  it('counts no response to garbage whose sender has left before it', async () => {
    const { handler, waiting } = held()
    const { port, statuses, listener } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(`${rawRequest('POST', '/in', { 'content-length': 2 }, 'hi').repeat(2)}garbage\r\n\r\n`)
    await until(() => waiting.length === 2)
    connection.cut()
    // What is paused is not told of a reset: it shows when the first answer is written.
    waiting[0]?.(ok('late'))
    await until(() => listener.usage().connections === 0)
    waiting[1]?.(ok('later'))
    await nextTurn()
    expect(statuses.nobody).toEqual([])
    expect(statuses.pipeline.length).toBeLessThan(2)
  })
})

describe('listener: connections', () => {
  it('responds to pipelined requests in their order, whichever ends first', async () => {
    const { handler, waiting } = held()
    const { port } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(
      ['a', 'b', 'c'].map((body) => rawRequest('POST', '/in', { 'content-length': 1 }, body)).join(''),
    )
    await until(() => waiting.length === 3)
    for (const place of [2, 1, 0]) waiting[place]?.(ok(`<${place}>`))
    const answers = await connection.until((text) => text.includes('<2>'))
    expect(answers.match(/<\d>/g)).toEqual(['<0>', '<1>', '<2>'])
  })

  it('responds 503 and logs when a handler throws or rejects', async () => {
    const broken = () => {
      throw new TypeError('secret detail')
    }
    const { http, post, lines } = await listen(echo().handler)
    http.serve('/head', echo({ head: broken }).handler)
    http.serve('/throws', echo({ handle: broken }).handler)
    http.serve('/rejects', echo({ handle: async () => broken() }).handler)
    http.serve('/header', echo({ handle: async () => ({ ...ok(''), headers: { bad: 'a\r\nb' } }) }).handler)
    for (const path of ['/head', '/throws', '/rejects', '/header']) {
      const { status, text, headers } = await post(path, 'x')
      expect({ path, status, code: JSON.parse(text).code }).toEqual({
        path,
        status: 503,
        code: 'HG_PLUGIN_FAILED',
      })
      expect(headers).toHaveProperty('retry-after')
      expect(text).not.toContain('secret detail')
    }
    expect(lines).toMatchObject(Array(4).fill({ level: 'error', fields: { pipeline: 'orders' } }))
  })
})

/** A listener with two connections: `busy` waits for its response, `idle` has had one. */
async function busyAndIdle() {
  const { handler, waiting } = held()
  const { http, port, listener } = await listen(handler)
  http.serve('/quick', echo().handler)
  const [busy, idle] = [await rawConnection(port), await rawConnection(port)]
  idle.send(rawRequest('POST', '/quick', { 'content-length': 1 }, '1'))
  await idle.until((text) => text.endsWith('\r\n\r\n1'))
  busy.send(rawRequest('POST', '/in', { 'content-length': 1 }, 'x'))
  await until(() => waiting.length === 1)
  return { listener, port, busy, idle, waiting }
}

describe('listener: closing', () => {
  it('serves requests in progress and further ones on open connections, then closes them', async () => {
    const { listener, port, busy, idle, waiting } = await busyAndIdle()

    const closed = listener.close()
    await expect(rawConnection(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    idle.send(rawRequest('POST', '/quick', { 'content-length': 1 }, '2'))
    expect(await idle.closed()).toMatch(/connection: close\r\n[\s\S]*\r\n\r\n2$/i)
    waiting[0]?.(ok('answered'))
    expect(await busy.closed()).toMatch(/connection: close\r\n[\s\S]*answered$/i)
    await closed
    expect(listener.close()).toBe(closed)
  })

  it('closes idle connections once the last request has its response', async () => {
    const { listener, busy, idle, waiting } = await busyAndIdle()
    const closed = listener.close()
    waiting[0]?.(ok('answered'))
    await Promise.all([busy.closed(), idle.closed(), closed])
  })

  it('responds 503 instead of 404 while it closes: the path is gone because Headgate stops', async () => {
    const { handler, waiting } = held()
    const { port, listener, unserve, statuses } = await listen(handler)
    const [busy, other] = [await rawConnection(port), await rawConnection(port)]
    busy.send(rawRequest('POST', '/in', { 'content-length': 1 }, 'x'))
    await until(() => waiting.length === 1)
    unserve()
    const closed = listener.close()
    other.send(rawRequest('POST', '/in', { 'content-length': 1 }, 'x'))
    expect(await other.closed()).toMatch(/^HTTP\/1.1 503 [\s\S]*retry-after: [\s\S]*HG_INTAKE_STOPPING/)
    waiting[0]?.(ok(''))
    await closed
    expect(statuses.nobody).toEqual([503])
  })

  it('still cancels slow requests while it closes', async () => {
    const { port, listener } = await listen(echo().handler, {
      timeouts: { headers: 300, request: 500, checkEvery: 10 },
    })
    const slow = await rawConnection(port)
    slow.send('POST /in HT')
    await nextTurn()
    await Promise.all([listener.close(), slow.closed()])
  })

  it('cuts requests in progress on closeNow', async () => {
    const { handler, waiting } = held()
    const { port, listener } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'content-length': 1 }, 'x'))
    await until(() => waiting.length === 1)
    const closed = listener.close()
    listener.closeNow()
    expect(await connection.closed()).toBe('')
    await closed
    waiting[0]?.(ok('nobody hears it'))
  })

  it('can be closed without having been opened', async () => {
    const { log } = testContext()
    await new Listener({ host: '127.0.0.1', port: 0, log, onResponse: () => {} }).close()
  })
})
