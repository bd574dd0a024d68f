import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { CountedMemory } from '../../src/http/body.js'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'
import { heapUsed } from './heap-used.js'
import { echo, held, listen, ok } from './setup.js'

const head = (length: number) => rawRequest('POST', '/in', { 'content-length': length })
const chunked = rawRequest('POST', '/in', { 'transfer-encoding': 'chunked' })
const chunk = (size: number) => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`

it('counts taken and released bytes, and never exceeds its limit', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 60 })), (sizes) => {
      const memory = new CountedMemory(100)
      const taken: number[] = []
      for (const size of sizes) {
        const before = memory.held
        if (memory.take(size)) taken.push(size)
        else expect(before + size).toBeGreaterThan(100)
        expect(memory.held).toBeLessThanOrEqual(100)
        if (taken.length > 2) memory.release(taken.shift() as number)
      }
      for (const size of taken) memory.release(size)
      expect(memory.held).toBe(0)
    }),
  )
})

it('does not count bytes that Content-Length only promises', async () => {
  const { port, listener, post } = await listen(echo().handler, { maxBodyMemory: 1024 })
  const promising = await rawConnection(port)
  promising.send(head(1024))
  await until(() => listener.usage().connections === 1)
  expect((await post('/in', 'x'.repeat(1024))).status).toBe(200)
  expect(listener.usage().bodyBytes).toBe(0)
})

it('responds 503 with Retry-After as soon as there is no memory for a body, and accepts bodies again later', async () => {
  const { handler, waiting } = held()
  const { port, listener, post, statuses } = await listen(handler, { maxBodyMemory: 1024 })
  const first = post('/in', 'x'.repeat(600))
  await until(() => waiting.length === 1)
  const coming = await rawConnection(port)
  coming.send(chunked + chunk(400))
  await until(() => listener.usage().bodyBytes === 1000)

  const excess = await rawConnection(port)
  excess.send(chunked + chunk(25))
  expect(await excess.closed()).toMatch(/^HTTP\/1.1 503 [\s\S]*retry-after: 5\r\n[\s\S]*no memory$/)
  coming.send(chunk(25))
  expect(await coming.closed()).toMatch(/^HTTP\/1.1 503 /)
  expect(listener.usage().bodyBytes).toBe(600)

  waiting[0]?.(ok('done'))
  expect((await first).status).toBe(200)
  expect(listener.usage().bodyBytes).toBe(0)
  const next = post('/in', 'x'.repeat(1024))
  await until(() => waiting.length === 2)
  waiting[1]?.(ok('done'))
  expect((await next).status).toBe(200)
  expect(statuses.pipeline).toEqual([503, 503, 200, 200])
})

it('keeps the connection if little of the refused body is left', async () => {
  const { handler, waiting } = held()
  const { port, post, http } = await listen(handler, { maxBodyMemory: 1024 })
  http.serve('/quick', echo().handler)
  const first = post('/in', 'x'.repeat(1020))
  await until(() => waiting.length === 1)
  const connection = await rawConnection(port)
  connection.send(head(600) + 'x'.repeat(600))
  expect(await connection.until((text) => text.endsWith('no memory'))).not.toMatch(/connection: close/i)
  connection.send(rawRequest('POST', '/quick', { 'content-length': 2 }, 'hi'))
  await connection.until((text) => text.endsWith('\r\n\r\nhi'))
  waiting[0]?.(ok('done'))
  await first
})

it.each([
  ['leaves', (sender: { cut(): void }) => sender.cut()],
  ['ends its side', (sender: { end(): void }) => sender.end()],
  ['says too much', (sender: { send(text: string): void }) => sender.send(chunk(2000))],
  ['says what is no chunk', (sender: { send(text: string): void }) => sender.send('garbage\r\n')],
  ['is too slow', () => {}],
])('releases the part of a body whose sender %s', async (_what, act) => {
  const { port, listener } = await listen(echo().handler, {
    timeouts: { headers: 100, request: 200, checkEvery: 10 },
  })
  const sender = await rawConnection(port)
  sender.send(chunked + chunk(400))
  await until(() => listener.usage().bodyBytes === 400)
  act(sender as never)
  await sender.closed()
  await until(() => listener.usage().bodyBytes === 0)
})

it('uses no more memory than it counts for bodies that arrive byte by byte', async () => {
  const { port, listener } = await listen(echo({ maxBodyBytes: 1024 * 1024 }).handler)
  const senders = await Promise.all(Array.from({ length: 25 }, () => rawConnection(port)))
  const before = heapUsed()
  for (const sender of senders) sender.send(chunked + chunk(1).repeat(4000))
  await vi.waitUntil(() => listener.usage().bodyBytes >= 25 * 4000, { timeout: 15_000 })
  expect(listener.usage().bodyBytes).toBeLessThan(25 * 8000)
  // A Buffer for each byte would take 40 MB.
  expect(heapUsed() - before).toBeLessThan(8_000_000)
  for (const sender of senders) sender.send('0\r\n\r\n')
  await Promise.all(senders.map((sender) => sender.until((text) => text.includes('x'.repeat(4000)))))
  expect(listener.usage().bodyBytes).toBe(0)
})

it('refuses a body of too many small pieces, and discards the rest', async () => {
  const { port, listener, statuses } = await listen(echo({ maxBodyBytes: 1024 * 1024 }).handler)
  const sender = await rawConnection(port)
  sender.send(chunked + chunk(1).repeat(100_000))
  expect(await sender.closed()).toMatch(/^HTTP\/1.1 400 [\s\S]*HG_INTAKE_SMALL_CHUNKS/)
  expect(statuses.pipeline).toEqual([400])
  expect(listener.usage().bodyBytes).toBe(0)
})

it('holds the bytes of an event whose sender has left until the event has ended', async () => {
  const { handler, waiting } = held()
  const { port, listener } = await listen(handler)
  const sender = await rawConnection(port)
  sender.send(rawRequest('POST', '/in', { 'content-length': 5 }, 'whole'))
  await until(() => waiting.length === 1)
  sender.cut()
  await until(() => listener.usage().connections === 0)
  expect(listener.usage().bodyBytes).toBe(5)
  waiting[0]?.(ok('done'))
  await until(() => listener.usage().bodyBytes === 0)
})

it('refuses a source whose bodies could never arrive', async () => {
  const { http } = await listen(echo().handler, { maxBodyMemory: 1024 })
  expect(() => http.serve('/large', echo({ maxBodyBytes: 1025 }).handler)).toThrow(
    expect.objectContaining({
      code: 'HG_CONFIG_CONFLICT',
      message: expect.stringContaining('HEADGATE_MAX_BODY_MEMORY'),
    }),
  )
})
