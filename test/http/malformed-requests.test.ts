import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'
import { echo, held, listen, ok } from './setup.js'

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
      const responses = (await connection.closed()).match(/HTTP\/1.1 \d+/g)
      expect(responses).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400'])
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
    // A paused socket does not hear of a reset: it shows when the first response is written.
    waiting[0]?.(ok('late'))
    await until(() => listener.usage().connections === 0)
    waiting[1]?.(ok('later'))
    await nextTurn()
    expect(statuses.nobody).toEqual([])
    expect(statuses.pipeline.length).toBeLessThan(2)
  })
})
