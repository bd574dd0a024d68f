import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { exchange, openConnection } from '../../bench/connection.js'

const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')

test('an exchange over a connection that was closed while it was idle ends at once', async () => {
  const server = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const socket = await openConnection((server.address() as AddressInfo).port)

  expect(await exchange(socket, REQUEST)).toBe('200 otherwise')
  const closed = once(socket, 'close')
  server.closeAllConnections()
  await closed
  await expect(exchange(socket, REQUEST)).rejects.toThrow('the connection was closed')
})
