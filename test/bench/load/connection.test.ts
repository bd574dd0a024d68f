import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { exchange, openConnection, prepareRequests } from '../../../bench/load/connection.js'

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

const order = {
  ports: [1],
  token: 'secret',
  name: 'run0',
  paths: ['/one', '/two'],
  payloads: ['"kind":"a"', '"kind":"b"'],
  bodyBytes: 300,
  seconds: 1,
  connections: 1,
}

const parts = (request: Buffer) => {
  const [head = '', body = ''] = request.toString().split('\r\n\r\n')
  return { head, body, event: JSON.parse(body) }
}

test('a request has the bytes that it says, the token, and an id of its own', () => {
  const requests = prepareRequests(order, 0)
  const { head, body, event } = parts(requests.next(7))
  expect(body).toHaveLength(300)
  expect(head).toMatch(/^POST \/one HTTP\/1\.1\r\n/)
  expect(head).toContain('\r\nAuthorization: Bearer secret\r\n')
  expect(head).toContain('\r\nContent-Length: 300')
  expect(event.dataActionId).toBe('run0-0000000007')
  expect(parts(requests.next(8)).event.dataActionId).toBe('run0-0000000008')
})

test('a signed request has the HMAC of the bytes that it sends', () => {
  const requests = prepareRequests({ ...order, signed: true }, 0)
  for (const event of [7, 8]) {
    const { head, body } = parts(requests.next(event))
    const signature = createHmac('sha256', 'secret').update(body).digest('hex')
    expect(head).toContain(`\r\nX-Signature: ${signature}`)
  }
})

test('all payloads come to all paths, and connections begin at different ones', () => {
  const kinds = (offset: number) => {
    const requests = prepareRequests(order, offset)
    return Array.from({ length: 4 }, (_, event) => {
      const {
        head,
        event: { payload },
      } = parts(requests.next(event))
      return `${head.split(' ')[1]} ${payload.kind}`
    })
  }
  expect(kinds(0)).toEqual(['/one a', '/one b', '/two a', '/two b'])
  expect(kinds(1)[0]).toBe('/one b')
})

test('a body that has no room for its payload is refused', () => {
  expect(() => prepareRequests({ ...order, bodyBytes: 100 }, 0)).toThrow(/100 bytes is too small/)
})
