import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'
import { heapUsed } from './heap-used.js'
import { refusedConnections } from './refused-connections.js'
import { echo, held, listen, ok } from './setup.js'

const request = rawRequest('POST', '/in', { 'content-length': 2 }, 'hi')
const answered = (text: string) => text.endsWith('\r\n\r\nhi')

/** So many connections with a request under way: none of them waits. */
async function busy(port: number, count: number) {
  const connections = await Promise.all(Array.from({ length: count }, () => rawConnection(port)))
  for (const connection of connections) connection.send(rawRequest('POST', '/held', { 'content-length': 0 }))
  return connections
}

it('refuses connections while all allowed ones have a request in progress, and accepts new ones when they close', async () => {
  const cap = 50
  let refused = 0
  const { port, listener, http, lines } = await listen(echo().handler, {
    maxConnections: cap,
    onRefused: () => refused++,
  })
  const { handler, waiting } = held()
  http.serve('/held', handler)
  const others = await busy(port, cap)
  await until(() => waiting.length === cap)

  await refusedConnections(port, 500)
  const before = heapUsed()
  await refusedConnections(port, 3000)
  // One that is kept costs some kilobytes.
  expect(heapUsed() - before).toBeLessThan(3000 * 512)
  expect(refused).toBe(3500)
  expect(listener.usage().connections).toBe(cap)
  expect(lines).toHaveLength(1)

  for (const connection of others) connection.cut()
  await until(() => listener.usage().connections === 0)
  const next = await rawConnection(port)
  next.send(request)
  await next.until(answered)
  expect(refused).toBe(3500)
})

it('does the same in a worker', async () => {
  let refused = 0
  const { port, listener, http } = await listen(echo().handler, {
    maxConnections: 3,
    sharedBy: 2,
    onRefused: () => refused++,
  })
  const { handler, waiting } = held()
  http.serve('/held', handler)
  const others = await busy(port, 3)
  await until(() => waiting.length === 3)
  await refusedConnections(port, 20)
  expect(refused).toBe(20)
  others[0]?.cut()
  await until(() => listener.usage().connections < 3)
  const next = await rawConnection(port)
  next.send(request)
  await next.until(answered)
})

const strange = rawRequest('POST', '/nowhere', { 'content-length': 0 })

it.each([
  ['say nothing', ''],
  ['got a 404', strange],
  ['sent half of the headers', 'POST /in HTTP/1.1\r\nhost: te'],
  ['sent half of a body', request.slice(0, -1)],
])(
  'a new connection replaces the first of those that %s; trusted senders keep theirs',
  async (_what, said) => {
    let refused = 0
    const { port, listener, lines } = await listen(echo().handler, {
      maxConnections: 20,
      onRefused: () => refused++,
    })
    const known = await rawConnection(port)
    known.send(request)
    await known.until(answered)
    const strangers = []
    for (let count = 1; count < 20; count++) {
      const stranger = await rawConnection(port)
      stranger.send(said)
      if (said === strange) await stranger.until((text) => text.endsWith('}'))
      strangers.push(stranger)
    }
    await until(() => listener.usage().connections === 20)
    for (let count = 0; count < 5; count++) {
      const next = await rawConnection(port)
      next.send(request)
      await next.until(answered)
    }
    await Promise.all(strangers.slice(0, 5).map((stranger) => stranger.closed()))
    known.send(request)
    await known.until((text) => text.split('\r\n\r\nhi').length === 3)
    expect(refused).toBe(0)
    expect(lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('20 are open') }])
  },
)

it('closes the connection that was idle longest if all senders are trusted', async () => {
  const { port } = await listen(echo().handler, { maxConnections: 3 })
  const known = []
  for (let count = 0; count < 3; count++) {
    const sender = await rawConnection(port)
    sender.send(request)
    await sender.until(answered)
    known.push(sender)
  }
  known[0]?.send(request)
  await known[0]?.until((text) => text.split('\r\n\r\nhi').length === 3)
  const next = await rawConnection(port)
  next.send(request)
  await next.until(answered)
  await known[1]?.closed()
  known[0]?.send(request)
  await known[0]?.until((text) => text.split('\r\n\r\nhi').length === 4)
})

it('keeps a connection open for a second after a refused request, announces it, and serves a request in that time', async () => {
  const { port } = await listen(echo().handler, { timeouts: { keepAlive: 3_600_000 } })
  const [refused, served] = [await rawConnection(port), await rawConnection(port)]
  for (const connection of [refused, served]) {
    connection.send(strange)
    expect(await connection.until((text) => text.endsWith('}'))).toMatch(/keep-alive: timeout=1\r\n/i)
  }
  served.send(request)
  expect(await served.until(answered)).toMatch(/keep-alive: timeout=3600\r\n/i)
  await refused.closed()
  served.send(request)
  await served.until((text) => text.split('\r\n\r\nhi').length === 3)
})

it('accepts no more connections than there are descriptors for, and logs it when it opens', async () => {
  const { port, lines, listener } = await listen(echo().handler, {
    maxConnections: 1000,
    descriptors: () => ({ limit: 64, forSenders: 2 }),
  })
  expect(lines).toMatchObject([
    { level: 'warn', message: expect.stringMatching(/64 files .* 1000 .* 2 are accepted.*ulimit -n/) },
  ])
  await Promise.all([rawConnection(port), rawConnection(port)])
  await until(() => listener.usage().connections === 2)
  const next = await rawConnection(port)
  next.send(request)
  await next.until(answered)
  expect(listener.usage().connections).toBe(2)
})

it('closes connections that never send anything', async () => {
  const { port, listener } = await listen(echo().handler, {
    maxConnections: 5,
    timeouts: { headers: 300, request: 500, checkEvery: 10 },
  })
  const silent = await Promise.all(Array.from({ length: 5 }, () => rawConnection(port)))
  await Promise.all(silent.map((connection) => connection.closed()))
  await until(() => listener.usage().connections === 0)
  const next = await rawConnection(port)
  next.send(request)
  await next.until(answered)
})

it('closes a connection that is idle after its response', async () => {
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
  'responds to a sender that has ended its side after %s, however late, then closes',
  async (_what, sent, count) => {
    const { handler, waiting } = held()
    const { port, listener, statuses } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(sent)
    connection.end()
    await until(() => waiting.length === count)
    for (let turn = 0; turn < 10; turn++) await nextTurn()
    for (const answer of waiting) answer(ok('hi'))
    const responses = (await connection.closed()).split('HTTP/1.1 200 ').length - 1
    expect(responses).toBe(count)
    expect(statuses.pipeline.filter((status) => status === 200)).toHaveLength(count)
    await until(() => listener.usage().connections === 0)
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
  await until(() => listener.usage().connections === 0)
  expect(statuses).toEqual({ pipeline: [], nobody: [] })
})

it('serves a hundred requests of a connection at a time, and closes one that has more in progress', async () => {
  const { handler, waiting } = held()
  const { port, listener, statuses } = await listen(handler)
  const [moderate, excessive] = [await rawConnection(port), await rawConnection(port)]
  moderate.send(request.repeat(100))
  await until(() => waiting.length === 100)
  for (const answer of waiting.splice(0)) answer(ok('hi'))
  await moderate.until((text) => text.split('\r\n\r\nhi').length === 101)
  excessive.send(request.repeat(1000))
  expect(await excessive.closed()).toBe('')
  let handled = 0
  await until(() => {
    for (const answer of waiting.splice(0)) {
      handled++
      answer(ok('hi'))
    }
    return listener.usage().bodyBytes === 0
  })
  expect(handled).toBe(100)
  expect(statuses.pipeline).toHaveLength(100)
})
