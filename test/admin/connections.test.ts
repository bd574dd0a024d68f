import { expect, test } from 'vitest'
import { get, json } from '../../src/admin/routes.js'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'
import { idleAdmin } from './idle-admin.js'

const OPEN = ['/health', '/ready', '/metrics']
const head = (method: string, path: string, length: number) =>
  rawRequest(method, path, { 'content-length': length }).replace('host: test', 'host: localhost')

async function probesOf(admin: { readonly url: string }): Promise<number[]> {
  const statuses = []
  for (let count = 0; count < 15; count++) statuses.push((await fetch(`${admin.url}/health`)).status)
  return statuses
}

test.each([
  ['say nothing', ''],
  ['send half of a head', 'GET /health HTTP/1.1\r\nhost: lo'],
  ['promise a body to an open path', head('POST', '/health', 1000)],
  ['promise a body that they may send', head('GET', '/health', 1000)],
  ['ask for what is not there', head('GET', '/nowhere', 1000)],
])('probes are answered while more connections than there may be %s', async (_what, said) => {
  const admin = await idleAdmin([], undefined, OPEN)
  const port = Number(new URL(admin.url).port)
  for (let wave = 0; wave < 3; wave++) {
    const held = await Promise.all(Array.from({ length: 50 }, () => rawConnection(port)))
    for (const connection of held) connection.send(said)
  }
  expect(await probesOf(admin)).toEqual(Array(15).fill(200))
})

test('an open path is answered without its body, and the connection closed', async () => {
  const admin = await idleAdmin([], undefined, OPEN)
  const connection = await rawConnection(Number(new URL(admin.url).port))
  connection.send(head('GET', '/health', 1000))
  expect(await connection.closed()).toMatch(/^HTTP\/1.1 200 [\s\S]*connection: close\r\n[\s\S]*UP/i)
})

test('places are kept for probes while operators have as many requests under way as they may', async () => {
  const admin = await idleAdmin([], undefined, OPEN)
  const port = Number(new URL(admin.url).port)
  const slow = []
  for (let count = 0; count < 80; count++) {
    const connection = await rawConnection(port)
    connection.send(head('POST', '/ledger/retry', 2))
    slow.push(connection)
  }
  await until(async () => (await fetch(`${admin.url}/ledger`)).status === 503)
  expect(await probesOf(admin)).toEqual(Array(15).fill(200))
  for (const connection of slow) connection.send('{}')
  await Promise.all(slow.map((connection) => connection.until((text) => text.startsWith('HTTP/1.1 200'))))
  expect((await fetch(`${admin.url}/ledger`)).status).toBe(200)
})

test('a client that ends its side has its response, however late, and ends its stream', async () => {
  let answer = () => {}
  let closed = false
  const admin = await idleAdmin([
    get('/late', () => new Promise((resolve) => (answer = () => resolve(json(200, { late: true }))))),
    get('/stream', () => ({
      status: 200,
      headers: {},
      stream: (response) => void response.on('close', () => (closed = true)).write('begun'),
    })),
  ])
  const port = Number(new URL(admin.url).port)
  const [late, stream] = [await rawConnection(port), await rawConnection(port)]
  late.send(head('GET', '/late', 0))
  late.end()
  stream.send(head('GET', '/stream', 0))
  await stream.until((text) => text.includes('begun'))
  stream.end()
  await stream.closed()
  await until(() => closed)
  answer()
  expect(await late.closed()).toContain('"late": true')
})
