import { expect, test, vi } from 'vitest'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
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
  await vi.waitUntil(async () => (await fetch(`${admin.url}/ledger`)).status === 503)
  expect(await probesOf(admin)).toEqual(Array(15).fill(200))
  for (const connection of slow) connection.send('{}')
  await Promise.all(slow.map((connection) => connection.until((text) => text.startsWith('HTTP/1.1 200'))))
  expect((await fetch(`${admin.url}/ledger`)).status).toBe(200)
})
