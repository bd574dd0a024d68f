import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createSender, inParallel, type Sender } from '../../src/sandbox/sender.js'

async function senderTo(listener: RequestListener, signal = new AbortController().signal): Promise<Sender> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sender = createSender(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, 2, signal)
  onTestFinished(async () => {
    await sender.close()
    server.close()
  })
  return sender
}

const EVENT = { body: Buffer.from('{"a": 1.0}'), headers: { authorization: 'Bearer secret' } }

test('an event is posted with its bytes and headers, and the response is given', async () => {
  const sender = await senderTo(async (request, response) => {
    const body = (await request.toArray()).join('')
    response
      .writeHead(422)
      .end(JSON.stringify({ body, url: request.url, token: request.headers.authorization }))
  })
  const response = await sender.post(EVENT)
  expect(response).toEqual({
    status: 422,
    body: { body: '{"a": 1.0}', url: '/hook', token: 'Bearer secret' },
    refusals: 0,
  })
})

test('what is answered 503 is posted again after Retry-After, and the refusals are counted', async () => {
  let requests = 0
  const sender = await senderTo((_request, response) => {
    if (++requests < 3) response.writeHead(503, { 'retry-after': '0' }).end('busy')
    else response.writeHead(200).end('{}')
  })
  expect(await sender.post(EVENT)).toEqual({ status: 200, body: {}, refusals: 2 })
})

test('a 503 without Retry-After is a mistake of the server', async () => {
  const sender = await senderTo((_request, response) => response.writeHead(503).end('busy'))
  await expect(sender.post(EVENT)).rejects.toThrow('has no Retry-After header')
})

test('a response that is not JSON is a response all the same', async () => {
  const sender = await senderTo((_request, response) => response.writeHead(404).end('not here'))
  expect(await sender.post(EVENT)).toEqual({ status: 404, body: undefined, refusals: 0 })
})

test('a sender that waits can be called off', async () => {
  const stop = new AbortController()
  const sender = await senderTo((_request, response) => {
    response.writeHead(503, { 'retry-after': '3600' }).end()
    setImmediate(() => stop.abort())
  }, stop.signal)
  await expect(sender.post(EVENT)).rejects.toThrow('aborted')
})

test('at most so many run at once, and results are in the order of the items', async () => {
  let running = 0
  let most = 0
  const results = await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running)
    for (let turns = 7 - item; turns >= 0; turns--) await turn()
    running--
    return item * 10
  })
  expect(results).toEqual([10, 20, 30, 40, 50, 60, 70])
  expect(most).toBe(3)
})
