import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { rawConnection } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'
import { echo, listen, ok } from '../http/setup.js'
import { runs } from './runs.js'

const RUNS = runs(80)

const post = (headers: string, body: string) => `POST /in HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`
const request = fc.oneof(
  fc
    .string({ maxLength: 40, unit: 'grapheme-ascii' })
    .map((body) => post(`Content-Length: ${body.length}\r\n`, body)),
  fc
    .array(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' }), { maxLength: 4 })
    .map((chunks) =>
      post(
        'Transfer-Encoding: chunked\r\n',
        `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`,
      ),
    ),
  fc.constantFrom(
    post('Connection: Upgrade\r\nUpgrade: h2c\r\n', ''),
    post('Connection: close\r\n', ''),
    post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'hi'),
    post('Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /in HTTP/1.0\r\n\r\n',
  ),
)
/** Something that replaces some bytes at a place. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(4),
  insert: fc.oneof(
    fc.constantFrom(
      '\r\n',
      '\n',
      '\r',
      ' ',
      ':',
      '0',
      '\0',
      ',',
      'Host: b\r\n',
      'Content-Length: 1\r\n',
      '\r\n\r\n',
    ),
    fc.constantFrom('Transfer-Encoding: chunked\r\n', 'Connection: close\r\n', ';x', 'ffffffff', 'HTTP/2.0'),
    fc.string({ maxLength: 4, unit: 'binary' }),
  ),
})
const position = fc.double({ min: 0, max: 1, noNaN: true })
/** How the sender leaves once it has said all. */
const leaving = fc.constantFrom('ends', 'ends', 'ends', 'resets', 'resets', 'stays')

function mutated(text: string, mutations: readonly { at: number; remove: number; insert: string }[]): Buffer {
  let bytes = Buffer.from(text, 'latin1')
  for (const { at, remove, insert } of mutations) {
    const from = Math.floor(at * bytes.length)
    bytes = Buffer.concat([
      bytes.subarray(0, from),
      Buffer.from(insert, 'latin1'),
      bytes.subarray(from + remove),
    ])
  }
  return bytes
}

function segments(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].sort((a, b) => a - b)
  return places.slice(1).map((to, index) => bytes.subarray(places[index], to))
}

it(
  'whatever comes, however it is cut: no request has two responses, what is counted is released, and the next sender is served',
  async () => {
    let handled = 0
    const { handler } = echo({
      async handle({ body }) {
        handled++
        // Some at once, some later, so that responses overtake each other.
        for (let turn = body.length % 3; turn > 0; turn--) await nextTurn()
        return ok(`<${body.length}>`)
      },
    })
    const {
      port,
      listener,
      statuses,
      lines,
      post: postNext,
    } = await listen(handler, {
      timeouts: { headers: 300, request: 500, keepAlive: 1, checkEvery: 50 },
    })
    const conversation = fc.record({
      requests: fc.array(request, { minLength: 1, maxLength: 4 }),
      mutations: fc.array(mutation, { maxLength: 3 }),
      cuts: fc.array(position, { maxLength: 5 }),
      how: leaving,
    })
    await fc.assert(
      fc.asyncProperty(conversation, async ({ requests, mutations, cuts, how }) => {
        handled = 0
        statuses.pipeline.length = 0
        statuses.nobody.length = 0
        const connection = await rawConnection(port)
        for (const segment of segments(mutated(requests.join(''), mutations), cuts)) {
          connection.send(segment)
          await nextTurn()
        }
        if (how === 'ends') connection.end()
        if (how === 'resets') connection.cut()
        const received = await connection.closed()
        await until(() => listener.usage().connections + listener.usage().bodyBytes === 0)
        const responses = [...received.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map(([, status]) =>
          Number(status),
        )
        // Each request is handled once at most, and each response of a handler is of one.
        expect(responses.filter((status) => status === 200).length).toBeLessThanOrEqual(handled)
        if (how !== 'resets') {
          expect(responses.filter((status) => status === 200)).toHaveLength(handled)
          expect([...statuses.pipeline, ...statuses.nobody].sort()).toEqual(responses.sort())
        }
        if (how !== 'resets' && mutations.length === 0)
          expect(responses.every((status) => status === 200 || status === 404)).toBe(true)
      }),
      RUNS,
    )
    expect((await postNext('/in', 'next')).status).toBe(200)
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  },
  60_000 + RUNS.numRuns * 2000,
)
