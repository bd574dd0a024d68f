import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { Listener } from '../../src/http/listener.js'
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
    const response = await post('/in', '', 'GET')
    expect(response).toMatchObject({ status: 405, headers: { allow: 'POST, PUT' } })
    expect(JSON.parse(response.text)).toMatchObject({ code: 'HG_INTAKE_METHOD' })
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
    const response = await connection.until((text) => text.endsWith('too large'))
    expect(response).toMatch(/^HTTP\/1.1 413 [\s\S]*connection: close\r\n/i)
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
        const response = await handler.handle(request)
        finished.push(request.body.toString())
        return response
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
    const responses = await connection.until((text) => text.includes('<2>'))
    expect(responses.match(/<\d>/g)).toEqual(['<0>', '<1>', '<2>'])
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
