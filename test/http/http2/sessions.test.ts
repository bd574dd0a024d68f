import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { constants } from 'node:http2'
import { tmpdir } from 'node:os'
import type { SecureContextOptions } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makePair, noOpenssl, read } from '../../helpers/certificates.js'
import {
  ACK,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  goaway,
  HEADERS,
  post as postHeaders,
  RST_STREAM,
  rawHttp2,
  resets,
  SETTINGS,
  setting,
  uint32,
} from '../../helpers/http2-frames.js'
import { rawSecureConnection } from '../../helpers/raw-connection.js'
import { until } from '../../helpers/until.js'
import { echo, held, ok } from '../setup.js'
import { certificate, client, listenSecure, send } from './setup.js'

const raw = (port: number, options = {}) => rawHttp2(port, { ca: certificate().cert }, options)
const head = (stream: number, flags = 0) => frame(HEADERS, END_HEADERS | flags, stream, postHeaders())
const data = (stream: number, text: string, flags = 0) => frame(DATA, flags, stream, Buffer.from(text))
const isResponse = ({ type }: { readonly type: number }) => type === HEADERS
const checkEvery = 10

describe.skipIf(noOpenssl !== undefined)('listener: connections of HTTP/2', () => {
  describe('closing', () => {
    test('requests in progress get their responses, and then their connection is closed', async () => {
      const { handler, waiting } = held()
      const { port, listener } = await listenSecure(handler)
      const session = await client(port)
      const told = once(session, 'goaway')
      const responses = [send(session, 'one'), send(session, 'two')]
      await until(() => waiting.length === 2)
      const closed = listener.close()
      expect((await told)[0]).toBe(constants.NGHTTP2_NO_ERROR)
      for (const respond of waiting) respond(ok('late'))
      const ended = once(session, 'close')
      expect((await Promise.all(responses)).map(({ text }) => text)).toEqual(['late', 'late'])
      await Promise.all([closed, ended])
    })

    test('a body that is arriving is accepted to its end', async () => {
      const { handler, requests } = echo()
      const { port, listener } = await listenSecure(handler)
      const connection = await raw(port)
      connection.send(head(1), data(1, 'ab'))
      await until(() => listener.usage().bodyBytes === 2)
      const closed = listener.close()
      await connection.until((frames) => goaway(frames) === 0)
      connection.send(data(1, 'cd', END_STREAM))
      await connection.until((frames) =>
        frames.some(({ type, payload }) => type === DATA && String(payload) === 'abcd'),
      )
      expect(requests).toHaveLength(1)
      connection.end()
      await closed
    })

    test('a connection without a request is closed at once, and even if another process takes over', async () => {
      for (const lingering of [0, 60_000]) {
        const { port, listener } = await listenSecure(echo().handler)
        const session = await client(port)
        await send(session, 'hi')
        const ended = once(session, 'close')
        const closed = listener.close(lingering)
        await ended
        await closed
      }
    })

    test('a sender that does not close its side is cut', async () => {
      const { port, listener } = await listenSecure(echo().handler, { timeouts: { checkEvery } })
      const connection = await raw(port)
      await connection.until((frames) => frames.length > 1)
      connection.pause()
      await listener.close()
      await until(() => listener.usage().connections === 0)
    })

    test('requests in progress are cut by closeNow', async () => {
      const { handler, waiting } = held()
      const { port, listener } = await listenSecure(handler)
      const session = await client(port)
      const response = send(session, 'hi')
      response.catch(() => {})
      await until(() => waiting.length === 1)
      const closed = listener.close()
      listener.closeNow()
      await expect(response).rejects.toThrow()
      await closed
      waiting[0]?.(ok('nobody hears it'))
      await until(() => listener.usage().bodyBytes === 0)
    })
  })

  test('a new certificate is shown to new connections, and open ones go on', async () => {
    const folder = mkdtempSync(`${tmpdir()}/headgate-test-`)
    onTestFinished(() => rmSync(folder, { recursive: true }))
    let renew = (_: SecureContextOptions): void => {}
    const onRenewed = (use: typeof renew) => {
      renew = use
    }
    const { port } = await listenSecure(echo().handler, { secure: { onRenewed } })
    const before = await client(port)
    const next = read(makePair(folder, 'next'))
    renew(next)
    const after = await client(port, { ca: next.cert })
    expect(await send(after, 'after')).toMatchObject({ text: 'after' })
    expect(await send(before, 'before')).toMatchObject({ text: 'before' })
  })

  test('a sender needs a client certificate if there is an authority for them', async () => {
    const folder = mkdtempSync(`${tmpdir()}/headgate-test-`)
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const ca = makePair(folder, 'ca')
    const context = () => ({ ...certificate(), ca: read(ca).cert })
    const { port, listener } = await listenSecure(echo().handler, {
      secure: { clientCertificates: true, context },
    })
    const sender = await client(port, read(makePair(folder, 'sender', { by: ca })))
    expect(await send(sender, 'hi')).toMatchObject({ status: 200 })
    const stranger = await raw(port)
    expect(goaway(await stranger.closed())).toBeUndefined()
    await until(() => listener.usage().connections === 1)
  })

  describe('time limits', () => {
    test('a connection without any request is closed', async () => {
      const { port, listener } = await listenSecure(echo().handler, {
        timeouts: { headers: 1000, checkEvery },
      })
      const connection = await raw(port)
      await connection.closed()
      await until(() => listener.usage().connections === 0)
    })

    test('headers without an end do not keep a connection open', async () => {
      const { port, listener } = await listenSecure(echo().handler, {
        timeouts: { headers: 1000, checkEvery },
      })
      const connection = await raw(port)
      connection.send(frame(HEADERS, 0, 1, postHeaders()))
      await connection.closed()
      await until(() => listener.usage().connections === 0)
    })

    test('a connection is kept open between requests, and only for a second after a refused one', async () => {
      const { port } = await listenSecure(echo().handler, { timeouts: { keepAlive: 3_600_000, checkEvery } })
      const [refused, served] = [await client(port), await client(port)]
      const ended = once(refused, 'close')
      expect(await send(refused, '', { ':path': '/nowhere' })).toMatchObject({ status: 404 })
      expect(await send(served, '', { ':path': '/nowhere' })).toMatchObject({ status: 404 })
      expect(await send(served, 'hi')).toMatchObject({ status: 200 })
      await ended
      expect(await send(served, 'hi')).toMatchObject({ status: 200 })
    })

    test('a slow body gets 408, and other requests of its connection are served', async () => {
      const { handler, requests } = echo()
      const { port, listener, statuses } = await listenSecure(handler, {
        timeouts: { headers: 500, request: 500, checkEvery },
      })
      const connection = await raw(port)
      connection.send(head(1), data(1, 'half'))
      const frames = await connection.until((all) => resets(all).length === 1)
      expect(resets(frames)).toEqual([0])
      expect(String(Buffer.concat(frames.map(({ payload }) => payload)))).toContain('HG_INTAKE_TOO_SLOW')
      expect(statuses.nobody).toEqual([408])
      expect(listener.usage().bodyBytes).toBe(0)
      connection.send(head(3), data(3, 'whole', END_STREAM))
      await connection.until((all) => all.filter(isResponse).length === 2)
      expect(requests.map(({ body }) => String(body))).toEqual(['whole'])
    })

    test('a response that is not read in time ends its connection', async () => {
      const { port, lines } = await listenSecure(echo().handler, { timeouts: { inactive: 50, checkEvery } })
      const connection = await raw(port, { settings: setting(4, 0) })
      connection.send(head(1), data(1, 'hi', END_STREAM))
      expect(goaway(await connection.closed())).toBe(constants.NGHTTP2_CANCEL)
      expect(lines).toMatchObject([{ level: 'warn', fields: { reason: 'unread' } }])
    })

    test('settings that are not acknowledged in time end the connection', async () => {
      const { port, lines } = await listenSecure(echo().handler, { timeouts: { headers: 1000, checkEvery } })
      const connection = await raw(port, { acknowledges: false })
      connection.send(head(1), data(1, 'hi', END_STREAM))
      const frames = await connection.closed()
      expect(goaway(frames)).toBe(constants.NGHTTP2_SETTINGS_TIMEOUT)
      expect(frames.filter(isResponse)).toHaveLength(1)
      expect(lines).toMatchObject([{ fields: { reason: 'settings', remote_address: '127.0.0.1', count: 1 } }])
    })
  })

  describe('incomplete requests', () => {
    test.each([
      ['gives it up', constants.NGHTTP2_CANCEL],
      ['says that it is no error', constants.NGHTTP2_NO_ERROR],
    ])('a body whose sender %s in the middle is no event', async (_what, code) => {
      const { handler, requests } = echo()
      const { port, listener, statuses } = await listenSecure(handler)
      const connection = await raw(port)
      connection.send(head(1), data(1, 'half'))
      await until(() => listener.usage().bodyBytes === 4)
      connection.send(frame(RST_STREAM, 0, 1, uint32(code)))
      await until(() => listener.usage().bodyBytes === 0)
      connection.send(head(3), data(3, 'whole', END_STREAM))
      await connection.until((frames) => frames.some(isResponse))
      expect(requests.map(({ body }) => String(body))).toEqual(['whole'])
      expect(statuses.pipeline).toEqual([200])
    })

    test('the same in one write is no event either', async () => {
      const { handler, requests } = echo()
      const { port, listener } = await listenSecure(handler)
      const connection = await raw(port)
      connection.send(head(1), data(1, 'half'), frame(RST_STREAM, 0, 1, uint32(0)))
      connection.send(head(3), data(3, 'whole', END_STREAM))
      await connection.until((frames) => frames.some(isResponse))
      expect(requests.map(({ body }) => String(body))).toEqual(['whole'])
      expect(listener.usage().bodyBytes).toBe(0)
    })

    test('a sender that leaves takes nothing along, and does not block the withdrawal of a path', async () => {
      const { port, listener, http } = await listenSecure(echo().handler)
      const connection = await raw(port)
      connection.send(head(1), data(1, 'half'), head(3))
      await until(() => listener.usage().bodyBytes === 4)
      const withdrawn = http.withdraw()
      connection.end()
      await withdrawn
      await until(() => listener.usage().connections === 0)
      expect(listener.usage().bodyBytes).toBe(0)
    })

    test('an event goes on if its sender gives it up after its body', async () => {
      const { handler, waiting } = held()
      const { port, listener, statuses } = await listenSecure(handler)
      const connection = await raw(port)
      connection.send(head(1), data(1, 'whole', END_STREAM))
      await until(() => waiting.length === 1)
      connection.send(frame(RST_STREAM, 0, 1, uint32(constants.NGHTTP2_CANCEL)))
      await connection.arrived()
      expect(listener.usage().bodyBytes).toBe(5)
      waiting[0]?.(ok('nobody hears it'))
      await until(() => listener.usage().bodyBytes === 0)
      expect(statuses.pipeline).toEqual([])
    })

    test('a sender that has ended its side after a request gets its response', async () => {
      const { handler, waiting } = held()
      const { port, listener } = await listenSecure(handler)
      const connection = await raw(port)
      connection.send(head(1), data(1, 'hi', END_STREAM))
      await until(() => waiting.length === 1)
      connection.end()
      await connection.until((frames) => goaway(frames) === 0)
      waiting[0]?.(ok('late'))
      expect((await connection.closed()).some(isResponse)).toBe(true)
      await until(() => listener.usage().connections === 0)
    })
  })

  describe('the limit of connections', () => {
    test('each further request of a connection counts as one', async () => {
      const { handler, waiting } = held()
      const { port, listener, post } = await listenSecure(handler, { maxConnections: 5 })
      const session = await client(port)
      const responses = Array.from({ length: 5 }, () => send(session, 'hi'))
      await until(() => waiting.length === 5)
      await expect(send(session, 'hi')).rejects.toThrow('NGHTTP2_REFUSED_STREAM')
      await expect(post('/in', 'hi')).rejects.toThrow()
      for (const respond of waiting.splice(0)) respond(ok('hi'))
      await Promise.all(responses)
      await until(() => listener.usage().connections === 1)
      const next = post('/in', 'hi')
      await until(() => waiting.length === 1)
      waiting[0]?.(ok('hi'))
      expect((await next).status).toBe(200)
    })

    test('a connection of unfinished requests is closed for a new one of another sender', async () => {
      const { port, listener, post } = await listenSecure(echo().handler, { maxConnections: 20 })
      const stranger = await raw(port)
      stranger.send(...Array.from({ length: 30 }, (_, index) => head(2 * index + 1)))
      const frames = await stranger.until((all) => resets(all).length === 10)
      expect(new Set(resets(frames))).toEqual(new Set([constants.NGHTTP2_REFUSED_STREAM]))
      expect(listener.usage().connections).toBe(20)
      expect((await post('/in', 'hi')).status).toBe(200)
      await stranger.closed()
      await until(() => listener.usage().connections === 1)
    })

    test('no more requests of a connection are in progress than with HTTP/1, even if it has given up earlier ones', async () => {
      const { handler, waiting } = held()
      const { port } = await listenSecure(handler)
      const connection = await raw(port)
      const requests = (from: number) =>
        connection.send(
          ...Array.from({ length: 100 }, (_, index) => head(2 * (from + index) + 1, END_STREAM)),
        )
      requests(0)
      await until(() => waiting.length === 100)
      connection.send(
        ...Array.from({ length: 100 }, (_, index) => frame(RST_STREAM, 0, 2 * index + 1, uint32(8))),
      )
      await connection.arrived()
      requests(100)
      const frames = await connection.until((all) => resets(all).length === 100)
      expect(new Set(resets(frames))).toEqual(new Set([constants.NGHTTP2_REFUSED_STREAM]))
      expect(waiting).toHaveLength(100)
      for (const respond of waiting) respond(ok(''))
    })
  })

  test('connections that waited for a process before this one are served', async () => {
    const { listener, port } = await listenSecure(echo().handler, { holds: true })
    const connecting = client(port)
    await until(() => listener.usage().connections === 1)
    listener.release()
    expect(await send(await connecting, 'hi')).toMatchObject({ status: 200 })
  })

  test('bytes that are not HTTP/2 after the client has asked for it end the connection', async () => {
    const { port, listener } = await listenSecure(echo().handler)
    const connection = await rawSecureConnection(port, { ca: certificate().cert, ALPNProtocols: ['h2'] })
    connection.send('POST /in HTTP/1.1\r\nhost: x\r\n\r\n')
    await connection.closed()
    await until(() => listener.usage().connections === 0)
  })

  test('the limits are told to the client', async () => {
    const { port } = await listenSecure(echo().handler)
    const connection = await raw(port)
    const frames = await connection.until((all) => all.length > 0)
    const { type, flags, payload } = frames[0] ?? {}
    expect({ type, acknowledges: flags === ACK }).toEqual({ type: SETTINGS, acknowledges: false })
    expect(payload?.includes(setting(3, 100))).toBe(true)
  })
})
