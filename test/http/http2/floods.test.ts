import { constants } from 'node:http2'
import { describe, expect, test } from 'vitest'
import { noOpenssl } from '../../helpers/certificates.js'
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  goaway,
  HEADERS,
  headerBlock,
  PADDED,
  PING,
  PRIORITY,
  post,
  RST_STREAM,
  rawHttp2,
  resets,
  SETTINGS,
  setting,
  uint32,
  WINDOW_UPDATE,
} from '../../helpers/http2-frames.js'
import { until } from '../../helpers/until.js'
import { heapUsed } from '../heap-used.js'
import { echo, held, ok } from '../setup.js'
import { certificate, client, listenSecure, send } from './setup.js'

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_REFUSED_STREAM } = constants
const raw = (port: number, options = {}) => rawHttp2(port, { ca: certificate().cert }, options)
const many = (count: number, make: () => Buffer) => Buffer.concat(Array.from({ length: count }, make))

/** Numbers of streams, in the order in which a client opens them. */
function streams(): () => number {
  let last = -1
  return () => (last += 2)
}

const open = (stream: number, flags = 0) => frame(HEADERS, END_HEADERS | flags, stream, post())
const reset = (stream: number) => frame(RST_STREAM, 0, stream, uint32(NGHTTP2_CANCEL))
const complete = (stream: number) => open(stream, END_STREAM)
const MANY_FIELDS = Buffer.concat([post(), many(300, () => headerBlock({ a: '' }))])
/** A field that goes to the dynamic table, which is full then, and so many references to it of a byte each. */
const BOMB = Buffer.concat([
  post(),
  Buffer.from([0x40, 1]),
  Buffer.from('x'),
  Buffer.from([127, 0xa1, 0x1e]),
  Buffer.alloc(4000, 'y'),
  Buffer.alloc(10_000, 0xbe),
])

interface Flood {
  readonly before?: () => Buffer
  readonly next: (stream: () => number) => Buffer
  readonly settings?: Buffer
  readonly readsNothing?: boolean
}

const FLOODS: { readonly [name: string]: Flood } = {
  'requests that are given up at once (CVE-2023-44487)': {
    next: (stream) =>
      many(50, () => {
        const number = stream()
        return Buffer.concat([open(number), reset(number)])
      }),
  },
  'requests that the server is made to reset (CVE-2025-8671)': {
    next: (stream) =>
      many(50, () => {
        const number = stream()
        return Buffer.concat([open(number), frame(WINDOW_UPDATE, 0, number, uint32(0))])
      }),
  },
  'CONTINUATION without an end': {
    before: () => frame(HEADERS, 0, 1, post()),
    next: () => many(1000, () => frame(CONTINUATION, 0, 1, headerBlock({ a: 'b' }))),
  },
  'empty CONTINUATION': {
    before: () => frame(HEADERS, 0, 1, post()),
    next: () => many(1500, () => frame(CONTINUATION, 0, 1)),
  },
  SETTINGS: { next: () => many(900, () => frame(SETTINGS, 0, 0, setting(4, 65_535))) },
  PING: { next: () => many(900, () => frame(PING, 0, 0, Buffer.alloc(8))) },
  'PING whose responses are not read': {
    next: () => many(900, () => frame(PING, 0, 0, Buffer.alloc(8))),
    readsNothing: true,
  },
  PRIORITY: { next: () => many(1000, () => frame(PRIORITY, 0, 1, Buffer.from([0, 0, 0, 3, 15]))) },
  WINDOW_UPDATE: { next: () => many(1000, () => frame(WINDOW_UPDATE, 0, 0, uint32(1))) },
  'frames of an unknown type': { next: () => many(1500, () => frame(0xbe)) },
  'empty DATA': {
    before: () => open(1),
    next: () => many(1500, () => frame(DATA, 0, 1)),
  },
  'DATA that is all padding': {
    before: () => open(1),
    next: () => many(100, () => frame(DATA, PADDED, 1, Buffer.concat([Buffer.from([99]), Buffer.alloc(99)]))),
  },
  'DATA byte by byte': {
    before: () => open(1),
    next: () => many(1500, () => frame(DATA, 0, 1, Buffer.from('x'))),
  },
  'requests of many small headers': {
    next: (stream) => many(10, () => frame(HEADERS, END_HEADERS, stream(), MANY_FIELDS)),
  },
  'requests whose headers are far larger than their bytes': {
    next: (stream) => frame(HEADERS, END_HEADERS, stream(), BOMB),
  },
  'requests that are never complete': { next: (stream) => many(50, () => open(stream())) },
  'requests whose responses have no room in the window of their sender': {
    settings: setting(4, 0),
    next: (stream) => many(50, () => complete(stream())),
  },
}

describe.skipIf(noOpenssl !== undefined)('listener: floods of HTTP/2', () => {
  test.each(Object.entries(FLOODS))(
    'a flood of %s ends its connection, and others are served',
    async (_what, flood) => {
      const { handler, requests } = echo({ maxBodyBytes: 1_000_000 })
      const faults: string[] = []
      const {
        port,
        listener,
        lines,
        post: other,
      } = await listenSecure(handler, {
        timeouts: { checkEvery: 10 },
        onHttp2Fault: (fault) => faults.push(fault),
      })
      const sender = await client(port)
      await send(sender, 'hi')
      const before = heapUsed()
      const { before: start, next, settings = Buffer.alloc(0), readsNothing } = flood
      const attacker = await raw(port, { settings })
      if (readsNothing) attacker.pause()
      if (start) attacker.send(start())
      const numbers = streams()
      let ended = false
      const flooding = attacker
        .flood(() => next(numbers))
        .finally(() => {
          ended = true
        })
      do {
        expect(await send(sender, 'hi')).toMatchObject({ status: 200, text: 'hi' })
        expect(await other('/in', 'hi')).toMatchObject({ status: 200, text: 'hi' })
      } while (!ended)
      await flooding
      await until(() => listener.usage().connections === 2 && lines.length > 0)
      expect(listener.usage().bodyBytes).toBe(0)
      expect(lines).toMatchObject([{ level: 'warn', fields: { event: 'http2-closed', count: 1 } }])
      expect(faults).toHaveLength(1)
      // Those whose responses were not read.
      expect(requests.filter(({ body }) => body.length === 0).length).toBeLessThanOrEqual(100)
      expect(heapUsed() - before).toBeLessThan(20_000_000)
    },
  )

  test('requests that are given up after they are complete do not add up, and are told to be calm', async () => {
    const { handler, waiting } = held()
    const { port, lines } = await listenSecure(handler)
    const attacker = await raw(port)
    const stream = streams()
    const numbers = Array.from({ length: 100 }, stream)
    attacker.send(...numbers.map(complete))
    await until(() => waiting.length === 100)
    attacker.send(...numbers.map(reset))
    let ended = false
    attacker.closed().then(() => {
      ended = true
    })
    while (!ended) {
      await attacker.arrived().catch(() => {})
      const others = Array.from({ length: 40 }, stream)
      attacker.send(...others.flatMap((number) => [complete(number), reset(number)]))
    }
    expect(goaway(await attacker.closed())).toBe(NGHTTP2_ENHANCE_YOUR_CALM)
    expect(waiting).toHaveLength(100)
    expect(lines).toMatchObject([
      { fields: { reason: 'resets', detail: expect.stringContaining('before their response') } },
    ])
    for (const respond of waiting) respond(ok(''))
  })

  test('a sender that gives up a hundred requests, and sends them again, is served', async () => {
    const { handler, waiting } = held()
    const { port, lines } = await listenSecure(handler)
    const connection = await raw(port)
    const stream = streams()
    const numbers = Array.from({ length: 100 }, stream)
    connection.send(...numbers.map(complete))
    await until(() => waiting.length === 100)
    connection.send(...numbers.map(reset))
    await connection.arrived()
    for (const respond of waiting.splice(0)) respond(ok(''))
    connection.send(...numbers.map(() => complete(stream())))
    await until(() => waiting.length === 100)
    for (const respond of waiting) respond(ok(''))
    const frames = await connection.until((all) => all.filter(({ type }) => type === HEADERS).length === 100)
    expect(resets(frames)).toEqual([])
    expect(lines).toEqual([])
  })

  test('frames that come with requests are no flood', async () => {
    const { port, lines } = await listenSecure(echo().handler, { timeouts: { checkEvery: 10 } })
    const connection = await raw(port)
    const stream = streams()
    for (let round = 1; round <= 40; round++) {
      const number = stream()
      const frames = many(5, () => frame(PING, 0, 0, Buffer.alloc(8)))
      connection.send(open(number), frame(WINDOW_UPDATE, 0, 0, uint32(100)), frames)
      connection.send(frame(DATA, END_STREAM, number, Buffer.alloc(1000)))
      await connection.until((all) => all.filter(({ type }) => type === HEADERS).length === round)
    }
    expect(goaway(connection.frames)).toBeUndefined()
    expect(lines).toEqual([])
  })

  test('a sender of other frames that sends no request is not waited for', async () => {
    const { port, lines } = await listenSecure(echo().handler, { timeouts: { checkEvery: 10 } })
    const attacker = await raw(port)
    attacker.send(many(1000, () => frame(PRIORITY, 0, 1, Buffer.from([0, 0, 0, 3, 15]))))
    expect(goaway(await attacker.closed())).toBe(NGHTTP2_ENHANCE_YOUR_CALM)
    expect(lines).toMatchObject([{ fields: { reason: 'frames' } }])
  })

  test('a SETTINGS frame of more entries than allowed ends its connection', async () => {
    const { port, listener } = await listenSecure(echo().handler, {
      timeouts: { headers: 1000, checkEvery: 10 },
    })
    const attacker = await raw(port)
    attacker.send(
      frame(
        SETTINGS,
        0,
        0,
        many(2000, () => setting(4, 65_535)),
      ),
    )
    await attacker.closed()
    await until(() => listener.usage().connections === 0)
  })

  test('more requests at a time than allowed are refused, and may be sent again', async () => {
    const { handler, waiting } = held()
    const { port } = await listenSecure(handler)
    const connection = await raw(port)
    const stream = streams()
    // Before the client has acknowledged the limit; later it would break the protocol.
    connection.send(...Array.from({ length: 102 }, () => complete(stream())))
    const frames = await connection.until((all) => resets(all).length === 2)
    expect(new Set(resets(frames))).toEqual(new Set([NGHTTP2_REFUSED_STREAM]))
    await until(() => waiting.length === 100)
    for (const respond of waiting) respond(ok(''))
  })
})
