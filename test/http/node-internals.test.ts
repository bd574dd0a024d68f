import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { IncomingRequest } from '../../src/http/node-internals.js'

/** A server that gives each body to a reader, and says what that was told; the reader gives up where a piece has an `x`. */
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
        told.push('whole')
        answer(response)
      },
      aborted: () => void told.push('gone'),
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
  return { told, connection, answers: answersOn(connection) }
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

test('a body comes piece by piece, and then whole', async () => {
  const { told, connection } = await serverWith(ok)
  connection.write(`${head(6)}one`)
  await expect.poll(() => told).toEqual(['one'])
  connection.write('two')
  await expect.poll(() => told).toEqual(['one', 'two', 'whole'])
})

test('one without a body is whole at once', async () => {
  const { told, connection, answers } = await serverWith(ok)
  connection.write(head(0))
  await expect.poll(answers).toBe(1)
  expect(told).toEqual(['whole'])
})

test('the connection serves the next request, and those that came together', async () => {
  const { told, connection, answers } = await serverWith(ok)
  connection.write(`${head(3)}one`)
  await expect.poll(answers).toBe(1)
  connection.write(`${head(3)}two${head(5)}three`)
  await expect.poll(answers).toBe(3)
  expect(told).toEqual(['one', 'whole', 'two', 'whole', 'three', 'whole'])
})

test('a request that was read is left alone once it is answered', async () => {
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

test('what comes after the reader gave up is thrown away, however much it is', async () => {
  const { told, connection, answers } = await serverWith(ok)
  const rest = 'y'.repeat(1_000_000)
  connection.write(`${head(1 + rest.length)}x`)
  await expect.poll(answers).toBe(1)
  connection.write(`${rest}${head(3)}two`)
  await expect.poll(answers).toBe(2)
  expect(told).toEqual(['x', 'two', 'whole'])
})

test('a sender that leaves in the middle is gone', async () => {
  const { told, connection } = await serverWith(ok)
  connection.write(`${head(6)}one`)
  await expect.poll(() => told).toEqual(['one'])
  connection.destroy()
  await expect.poll(() => told).toEqual(['one', 'gone'])
})

test('one that leaves when its body has come, but before its answer, is not', async () => {
  let closed = false
  const { told, connection } = await serverWith((response) => {
    response.on('close', () => {
      closed = true
    })
    connection.destroy()
  })
  connection.write(`${head(3)}one`)
  await expect.poll(() => closed).toBe(true)
  expect(told).toEqual(['one', 'whole'])
})
