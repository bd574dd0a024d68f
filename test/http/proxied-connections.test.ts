import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as secure } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { Networks } from '../../src/lib/networks.js'
import { makePair, noOpenssl, read } from '../helpers/certificates.js'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { echo, listen } from './setup.js'

const proxies = new Networks(['127.0.0.0/8'])
const LINE = 'PROXY TCP4 203.0.113.9 10.0.0.1 4711 443\r\n'
const REQUEST = rawRequest('POST', '/in', { 'content-length': 2 }, '{}')
const full = (text: string) => text.endsWith('{}')

test('the address in the header is that of all requests of its connection', async () => {
  const { handler, requests } = echo()
  const { port } = await listen(handler, { proxies })
  const connection = await rawConnection(port)
  connection.send(LINE + REQUEST)
  await connection.until(full)
  connection.send(REQUEST)
  await connection.until((text) => text.split('200 OK').length === 3 && full(text))
  expect(requests.map(({ remoteAddress }) => remoteAddress)).toEqual(['203.0.113.9', '203.0.113.9'])
})

test('the header may arrive in pieces, and the request after it', async () => {
  const { handler, requests } = echo()
  const { port } = await listen(handler, { proxies })
  const connection = await rawConnection(port)
  const other = await rawConnection(port)
  other.send(LINE)
  for (const [index, piece] of [LINE.slice(0, 3), LINE.slice(3, 20), LINE.slice(20), REQUEST].entries()) {
    connection.send(piece)
    // When another connection has its response, the piece has been read.
    other.send(REQUEST)
    await other.until((text) => text.split('200 OK').length === index + 2 && full(text))
  }
  await connection.until(full)
  expect(requests.at(-1)?.remoteAddress).toBe('203.0.113.9')
})

test('a load balancer speaks for itself by a header without an address', async () => {
  const { handler, requests } = echo()
  const { port } = await listen(handler, { proxies })
  const connection = await rawConnection(port)
  connection.send(`PROXY UNKNOWN\r\n${REQUEST}`)
  await connection.until(full)
  expect(requests[0]?.remoteAddress).toBe('127.0.0.1')
})

test('a connection of a load balancer without the header is closed, and the log says why', async () => {
  const { handler, requests } = echo()
  const { port, lines } = await listen(handler, { proxies })
  const connection = await rawConnection(port)
  connection.send(REQUEST)
  expect(await connection.closed()).toBe('')
  expect(requests).toEqual([])
  expect(lines).toMatchObject([
    { level: 'warn', fields: { remote_address: '127.0.0.1', reason: 'it is missing', count: 1 } },
  ])
})

test('a header that does not arrive in time closes its connection', async () => {
  const { port, lines } = await listen(echo().handler, { proxies, timeouts: { headers: 50 } })
  const connection = await rawConnection(port)
  connection.send('PROXY TCP4 ')
  expect(await connection.closed()).toBe('')
  expect(lines).toMatchObject([{ fields: { reason: 'it did not arrive in time' } }])
})

test('a check that sends nothing is no mistake', async () => {
  const { port, lines, listener } = await listen(echo().handler, { proxies })
  const connection = await rawConnection(port)
  connection.end()
  await connection.closed()
  await expect.poll(() => listener.usage().connections).toBe(0)
  expect(lines).toEqual([])
})

test('a header of anyone else is no request', async () => {
  const { port } = await listen(echo().handler, { proxies: new Networks(['10.0.0.0/8']) })
  const connection = await rawConnection(port)
  connection.send(LINE + REQUEST)
  expect(await connection.closed()).toMatch(/^HTTP\/1.1 400 /)
})

test('connections whose header has not arrived count as idle ones', async () => {
  const { handler, requests } = echo()
  const { port } = await listen(handler, { proxies, maxConnections: 1 })
  const silent = await rawConnection(port)
  const connection = await rawConnection(port)
  connection.send(LINE + REQUEST)
  await connection.until(full)
  expect(await silent.closed()).toBe('')
  expect(requests).toHaveLength(1)
})

test('connections that waited for a process before this one are read in the same way', async () => {
  const { handler, requests } = echo()
  const { port, listener } = await listen(handler, { proxies, holds: true })
  const connection = await rawConnection(port)
  connection.send(LINE + REQUEST)
  await expect.poll(() => listener.usage().connections).toBe(1)
  listener.release()
  await connection.until(full)
  expect(requests[0]?.remoteAddress).toBe('203.0.113.9')
})

test('a request for another protocol does not need the header again', async () => {
  const { handler, requests } = echo()
  const { port } = await listen(handler, { proxies })
  const connection = await rawConnection(port)
  const upgrade = { 'content-length': 2, connection: 'upgrade', upgrade: 'h2c' }
  connection.send(LINE + rawRequest('POST', '/in', upgrade, '{}'))
  await connection.until(full)
  expect(requests[0]?.remoteAddress).toBe('203.0.113.9')
})

test.skipIf(noOpenssl !== undefined)('the header comes before TLS', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const pair = read(makePair(folder, 'server'))
  const { handler, requests } = echo()
  const { port } = await listen(handler, {
    proxies,
    secure: {
      clientCertificates: false,
      context: () => pair,
      onRenewed: () => {},
      onHandshakeFailed: () => {},
    },
  })
  const below = connect(port, '127.0.0.1')
  onTestFinished(() => void below.destroy())
  await once(below, 'connect')
  // In one segment with the first message of TLS.
  below.cork()
  below.write(LINE)
  process.nextTick(() => below.uncork())
  const socket = secure({ socket: below, servername: 'localhost', ca: pair.cert })
  await once(socket, 'secureConnect')
  socket.write(REQUEST)
  const [response] = await once(socket, 'data')
  expect(String(response)).toMatch(/^HTTP\/1.1 200 /)
  expect(requests[0]?.remoteAddress).toBe('203.0.113.9')
})
