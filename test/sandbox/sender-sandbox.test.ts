import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type SentRequest, sendEvents } from '../../src/sandbox/sender-sandbox.js'

interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly body: string
}

/** A receiver that gives these responses in turn, the last one again and again. */
async function receiver(...responses: readonly { readonly status: number; readonly body: string }[]) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    received.push({ method: request.method, url: request.url, body })
    const { status, body: text } = responses[Math.min(received.length, responses.length) - 1] ?? {
      status: 200,
      body: '',
    }
    response.writeHead(status).end(text)
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in` }
}

const event = (id: string): SentRequest => ({ method: 'POST', query: '', headers: { id }, body: id })

test('a sender registers its URL first, and shows each response with its outcome or reason', async () => {
  const { received, url } = await receiver(
    { status: 200, body: 'challenge' },
    { status: 401, body: '{"detail":"The header x is missing."}' },
    { status: 200, body: '{"outcome":"delivered"}' },
  )
  const ended = new AbortController()
  const lines: string[] = []
  const registration = (): SentRequest => ({ method: 'GET', query: 'challenge=a', headers: {}, body: '' })
  const sending = sendEvents(url, { registration, event }, (line) => lines.push(line), ended.signal, 1)
  await expect.poll(() => lines.length).toBeGreaterThan(2)
  ended.abort()
  await sending
  expect(lines.slice(0, 3)).toEqual([
    'registration: 200',
    'event 1: 401 The header x is missing.',
    'event 2: 200 delivered',
  ])
  expect(received[0]).toEqual({ method: 'GET', url: '/in?challenge=a', body: '' })
})

test('every fifth event is delivered again, as it was', async () => {
  const { received, url } = await receiver({ status: 200, body: '' })
  const ended = new AbortController()
  const lines: string[] = []
  const sending = sendEvents(url, { event }, (line) => lines.push(line), ended.signal, 1)
  await expect.poll(() => lines.length).toBeGreaterThan(5)
  ended.abort()
  await sending
  expect(lines[5]).toBe('event 5, delivered again: 200')
  expect(received[5]?.body).toBe(received[4]?.body)
  expect(new Set(received.slice(0, 5).map(({ body }) => body)).size).toBe(5)
})

test('a receiver that is gone ends the sending with the reason', async () => {
  const gone = 'http://127.0.0.1:1/in'
  await expect(sendEvents(gone, { event }, () => {}, new AbortController().signal, 1)).rejects.toThrow(
    'fetch failed',
  )
})
