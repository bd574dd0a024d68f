import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { heapUsed } from './heap-used.js'
import { refusedConnections } from './refused-connections.js'
import { echo, held, listen, ok } from './setup.js'

const request = rawRequest('POST', '/in', { 'content-length': 2 }, 'hi')
const answered = (text: string) => text.endsWith('\r\n\r\nhi')

it('serves a sender on an open connection while thousands more than the cap come, and has room when they leave', async () => {
  const cap = 50
  let refused = 0
  const { port, listener } = await listen(echo().handler, {
    maxConnections: cap,
    onRefused: () => refused++,
  })
  const sender = await rawConnection(port)
  sender.send(request)
  await sender.until(answered)
  const idle = []
  for (let count = 1; count < cap; count++) idle.push(await rawConnection(port))
  await vi.waitUntil(() => listener.usage().connections === cap)

  await refusedConnections(port, 500)
  const before = heapUsed()
  await refusedConnections(port, 3000)
  // One that is kept costs some kilobytes.
  expect(heapUsed() - before).toBeLessThan(3000 * 512)
  expect(refused).toBe(3500)
  expect(listener.usage().connections).toBe(cap)
  let answers = 0
  for (let count = 0; count < 5; count++) {
    sender.send(request)
    await sender.until((text) => text.split('\r\n\r\nhi').length === count + 3)
    answers++
  }
  expect(answers).toBe(5)

  for (const connection of idle) connection.cut()
  await vi.waitUntil(() => listener.usage().connections === 1)
  const next = await rawConnection(port)
  next.send(request)
  await next.until(answered)
  expect(refused).toBe(3500)
})

it('closes what is beyond its share in a worker, too, and has room when others leave', async () => {
  let refused = 0
  const { port, listener } = await listen(echo().handler, {
    maxConnections: 3,
    sharedBy: 2,
    onRefused: () => refused++,
  })
  const idle = await Promise.all(Array.from({ length: 3 }, () => rawConnection(port)))
  await vi.waitUntil(() => listener.usage().connections === 3)
  await refusedConnections(port, 20)
  expect(refused).toBe(20)
  idle[0]?.cut()
  await vi.waitUntil(() => listener.usage().connections < 3)
  const next = await rawConnection(port)
  next.send(request)
  await next.until(answered)
})

it('makes room by itself: connections that never say anything are closed', async () => {
  const { port, listener } = await listen(echo().handler, {
    maxConnections: 5,
    timeouts: { headers: 300, request: 500, checkEvery: 10 },
  })
  const silent = await Promise.all(Array.from({ length: 5 }, () => rawConnection(port)))
  await Promise.all(silent.map((connection) => connection.closed()))
  await vi.waitUntil(() => listener.usage().connections === 0)
  const next = await rawConnection(port)
  next.send(request)
  await next.until(answered)
})

it('closes a connection that has been answered and is not used again', async () => {
  const { port } = await listen(echo().handler, { timeouts: { keepAlive: 20 } })
  const connection = await rawConnection(port)
  connection.send(request)
  expect(answered(await connection.closed())).toBe(true)
})

const chunkedRequest = `${rawRequest('POST', '/in', { 'transfer-encoding': 'chunked' })}2\r\nhi\r\n0\r\n\r\n`

it.each([
  ['a request', request, 1],
  ['a chunked request', chunkedRequest, 1],
  ['several requests', request + chunkedRequest + request, 3],
  ['a request and half of another', `${request}POST /in HT`, 1],
  ['a request and half of the body of another', request + request.slice(0, -1), 1],
  ['a request with Connection: close', rawRequest('POST', '/in', { connection: 'close' }), 1],
])(
  'answers a sender that has ended its side after %s, however late, then closes',
  async (_what, sent, count) => {
    const { handler, waiting } = held()
    const { port, listener, statuses } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(sent)
    connection.end()
    await vi.waitUntil(() => waiting.length === count)
    for (let turn = 0; turn < 10; turn++) await nextTurn()
    for (const answer of waiting) answer(ok('hi'))
    const answers = (await connection.closed()).split('HTTP/1.1 200 ').length - 1
    expect(answers).toBe(count)
    expect(statuses.pipeline.filter((status) => status === 200)).toHaveLength(count)
    await vi.waitUntil(() => listener.usage().connections === 0)
  },
)

it.each([
  ['nothing', ''],
  ['half of the headers', 'POST /in HTTP/1.1\r\nhost: te'],
])('keeps no connection whose sender has ended its side after %s', async (_what, said) => {
  const { port, listener, statuses } = await listen(echo().handler)
  const connection = await rawConnection(port)
  connection.send(said)
  connection.end()
  expect(await connection.closed()).toBe('')
  await vi.waitUntil(() => listener.usage().connections === 0)
  expect(statuses).toEqual({ pipeline: [], nobody: [] })
})
