import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { OutgoingResponse } from '../../src/http/node-internals.js'

type Answering = (response: OutgoingResponse, text: string) => void

/** A connection to a server, and all bytes that it received. */
async function connectionTo(answering: Answering) {
  const server = createServer({ ServerResponse: OutgoingResponse }, ({ url = '' }, response) =>
    answering(response, decodeURI(url.slice(1))),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connection = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => {
    connection.destroy()
    server.close()
  })
  let received = ''
  connection.on('data', (bytes: Buffer) => {
    received += bytes
  })
  return {
    connection,
    received: () => received,
    ask: (text: string, method = 'POST') =>
      connection.write(`${method} /${encodeURI(text)} HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\n\r\n`),
  }
}

/** Without a date, so that it is always the same. */
function writeHead(response: OutgoingResponse, text: string): void {
  response.sendDate = false
  response.writeHead(200, ['content-length', String(Buffer.byteLength(text))])
}
const whole: Answering = (response, text) => {
  writeHead(response, text)
  response.endWith(text, Buffer.byteLength(text))
}
const inPieces: Answering = (response, text) => {
  writeHead(response, text)
  response.end(text)
}

test.each(['', 'plain text', 'grün, 門'])('"%s" arrives as node:http would have sent it', async (text) => {
  const [ours, theirs] = await Promise.all([connectionTo(whole), connectionTo(inPieces)])
  ours.ask(text)
  theirs.ask(text)
  await expect.poll(theirs.received).toMatch(new RegExp(`\\r\\n\\r\\n${text}$`))
  await expect.poll(ours.received).toBe(theirs.received())
})

test('a request that allows no body gets none', async () => {
  const { ask, received } = await connectionTo(whole)
  ask('first', 'HEAD')
  ask('second')
  await expect.poll(received).toMatch(/content-length: 5.*\r\n\r\nHTTP\/1.1 200 OK.*\r\n\r\nsecond$/s)
  expect(received()).not.toContain('first')
})

test('head and body are one write', async () => {
  const writes: unknown[] = []
  const { ask, received } = await connectionTo((response, text) => {
    const { calls } = vi.spyOn(response.socket as Socket, 'write').mock
    whole(response, text)
    writes.push(...calls.map(([written]) => written))
  })
  ask('text')
  await expect.poll(received).toMatch(/text$/)
  expect(writes).toEqual([received()])
})

test('responses arrive in the order of their requests, whichever is ready first', async () => {
  const waiting: (() => void)[] = []
  const { ask, received } = await connectionTo((response, text) => {
    waiting.push(() => whole(response, text))
    if (waiting.length === 2) for (const answer of waiting.reverse()) answer()
  })
  ask('first')
  ask('second')
  await expect.poll(received).toMatch(/first.*second$/s)
})

test('a sent response emits finish, and then close', async () => {
  const heard: string[] = []
  const { ask } = await connectionTo((response, text) => {
    for (const event of ['finish', 'close']) response.on(event, () => heard.push(event))
    whole(response, text)
    expect(response.writableEnded).toBe(true)
  })
  ask('text')
  await expect.poll(() => heard).toEqual(['finish', 'close'])
})

test('a response whose sender has left is closed, and the server lives', async () => {
  let closed = false
  const { connection, ask } = await connectionTo((response, text) => {
    response.on('close', () => {
      closed = true
      whole(response, text)
    })
    connection.destroy()
  })
  ask('text')
  await expect.poll(() => closed).toBe(true)
})
