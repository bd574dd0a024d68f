import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { exchange, openConnection } from '../../../bench/load/connection.js'

const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')

test('an exchange over a connection that was closed while it was idle ends at once', async () => {
  const server = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const socket = await openConnection((server.address() as AddressInfo).port)

  expect(await exchange(socket, REQUEST, 1)).toBe('200 otherwise')
  const closed = once(socket, 'close')
  server.closeAllConnections()
  await closed
  await expect(exchange(socket, REQUEST, 1)).rejects.toThrow('the connection was closed')
})

test.each([
  [1, '{"id":"a","outcome":"delivered"}', '200'],
  [1, '{"id":"a","outcome":"duplicate"}', '200 otherwise'],
  [2, '{"outcome":"delivered","items":[{"outcome":"delivered"},{"outcome":"delivered"}]}', '200'],
  [2, '{"outcome":"delivered","items":[{"outcome":"delivered"},{"outcome":"duplicate"}]}', '200 otherwise'],
])('an exchange of %d events with the response %s has the status %s', async (events, body, status) => {
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-length': body.length }).end(body),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = await openConnection((server.address() as AddressInfo).port)
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })

  expect(await exchange(socket, REQUEST, events)).toBe(status)
})
