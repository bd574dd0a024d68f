import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { IncomingRequest, OutgoingResponse } from '../../src/http/node-internals.js'

/** A server that gives each body to a reader and records its calls; the reader stops at a piece with an `x`. */
async function serverWith(answer: (response: ServerResponse) => void) {
  const told: string[] = []
  const server = createServer({ IncomingMessage: IncomingRequest }, (request, response) => {
    request.readBody({
      piece(bytes) {
        told.push(String(bytes))
        if (!told.at(-1)?.includes('x')) return true
        answer(response)
        return false
      },
      end() {
        told.push('end')
        answer(response)
      },
      aborted: () => void told.push('aborted'),
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const connection = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => void connection.destroy())
  return { told, connection, responses: answersOn(connection) }
}

function answersOn(connection: Socket): () => number {
  let text = ''
  connection.on('data', (bytes: Buffer) => {
    text += bytes
  })
  return () => text.split('HTTP/1.1 200 ').length - 1
}

const head = (length: number) => `POST / HTTP/1.1\r\nhost: test\r\ncontent-length: ${length}\r\n\r\n`
const ok = (response: ServerResponse) => void response.end('ok')

test('a reader gets the body piece by piece, and then its end', async () => {
  const { told, connection } = await serverWith(ok)
  connection.write(`${head(6)}one`)
  await expect.poll(() => told).toEqual(['one'])
  connection.write('two')
  await expect.poll(() => told).toEqual(['one', 'two', 'end'])
})

test('a request without a body ends at once', async () => {
  const { told, connection, responses } = await serverWith(ok)
  connection.write(head(0))
  await expect.poll(responses).toBe(1)
  expect(told).toEqual(['end'])
})

test('the connection serves the next request, and requests that arrived together', async () => {
  const { told, connection, responses } = await serverWith(ok)
  connection.write(`${head(3)}one`)
  await expect.poll(responses).toBe(1)
  connection.write(`${head(3)}two${head(5)}three`)
  await expect.poll(responses).toBe(3)
  expect(told).toEqual(['one', 'end', 'two', 'end', 'three', 'end'])
})

test('node:http does not discard the body of a request that was read', async () => {
  let request: IncomingMessage | undefined
  let closed = false
  const { connection } = await serverWith((response) => {
    request = response.req
    response.on('close', () => {
      closed = true
    })
    ok(response)
  })
  connection.write(`${head(3)}one`)
  await expect.poll(() => closed).toBe(true)
  // Otherwise node:http would have set it flowing, to throw its body away.
  expect(request?.readableFlowing).toBe(null)
})

test('the rest of the body is discarded after the reader stops, however long it is', async () => {
  const { told, connection, responses } = await serverWith(ok)
  const rest = 'y'.repeat(1_000_000)
  connection.write(`${head(1 + rest.length)}x`)
  await expect.poll(responses).toBe(1)
  connection.write(`${rest}${head(3)}two`)
  await expect.poll(responses).toBe(2)
  expect(told).toEqual(['x', 'two', 'end'])
})

test('a sender that leaves in the middle of the body aborts it', async () => {
  const { told, connection } = await serverWith(ok)
  connection.write(`${head(6)}one`)
  await expect.poll(() => told).toEqual(['one'])
  connection.destroy()
  await expect.poll(() => told).toEqual(['one', 'aborted'])
})

test('a sender that leaves after its body, but before the response, does not abort it', async () => {
  let closed = false
  const { told, connection } = await serverWith((response) => {
    response.on('close', () => {
      closed = true
    })
    connection.destroy()
  })
  connection.write(`${head(3)}one`)
  await expect.poll(() => closed).toBe(true)
  expect(told).toEqual(['one', 'end'])
})

test('a response says that it was written, once it was', async () => {
  const written: boolean[] = []
  const server = createServer({ ServerResponse: OutgoingResponse }, (_request, response) => {
    written.push(response.isWritten)
    response.on('finish', () => written.push(response.isWritten))
    response.writeHead(200, { 'content-length': 2 })
    response.endWith('ok', 2)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const connection = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => void connection.destroy())
  connection.write(head(0))
  await expect.poll(() => written).toEqual([false, true])
})
