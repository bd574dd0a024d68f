import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Listener } from '../../src/http/listener.js'
import { testContext } from '../helpers/context.js'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'
import { echo, held, listen, ok } from './setup.js'

/** A listener with two connections: `busy` waits for its response, `idle` has had one. */
async function busyAndIdle() {
  const { handler, waiting } = held()
  const { http, port, listener } = await listen(handler)
  http.serve('/quick', echo().handler)
  const [busy, idle] = [await rawConnection(port), await rawConnection(port)]
  idle.send(rawRequest('POST', '/quick', { 'content-length': 1 }, '1'))
  await idle.until((text) => text.endsWith('\r\n\r\n1'))
  busy.send(rawRequest('POST', '/in', { 'content-length': 1 }, 'x'))
  await until(() => waiting.length === 1)
  return { listener, port, busy, idle, waiting }
}

describe('listener: closing', () => {
  it('serves requests in progress and further ones on open connections, then closes them', async () => {
    const { listener, port, busy, idle, waiting } = await busyAndIdle()

    const closed = listener.close()
    await expect(rawConnection(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    idle.send(rawRequest('POST', '/quick', { 'content-length': 1 }, '2'))
    expect(await idle.closed()).toMatch(/connection: close\r\n[\s\S]*\r\n\r\n2$/i)
    waiting[0]?.(ok('answered'))
    expect(await busy.closed()).toMatch(/connection: close\r\n[\s\S]*answered$/i)
    await closed
    expect(listener.close()).toBe(closed)
  })

  it('closes idle connections once the last request has its response', async () => {
    const { listener, busy, idle, waiting } = await busyAndIdle()
    const closed = listener.close()
    waiting[0]?.(ok('answered'))
    await Promise.all([busy.closed(), idle.closed(), closed])
  })

  it('responds 503 instead of 404 while it closes: the path is gone because Headgate stops', async () => {
    const { handler, waiting } = held()
    const { port, listener, unserve, statuses } = await listen(handler)
    const [busy, other] = [await rawConnection(port), await rawConnection(port)]
    busy.send(rawRequest('POST', '/in', { 'content-length': 1 }, 'x'))
    await until(() => waiting.length === 1)
    unserve()
    const closed = listener.close()
    other.send(rawRequest('POST', '/in', { 'content-length': 1 }, 'x'))
    expect(await other.closed()).toMatch(/^HTTP\/1.1 503 [\s\S]*retry-after: [\s\S]*HG_INTAKE_STOPPING/)
    waiting[0]?.(ok(''))
    await closed
    expect(statuses.nobody).toEqual([503])
  })

  it('still cancels slow requests while it closes', async () => {
    const { port, listener } = await listen(echo().handler, {
      timeouts: { headers: 300, request: 500, checkEvery: 10 },
    })
    const slow = await rawConnection(port)
    slow.send('POST /in HT')
    await nextTurn()
    await Promise.all([listener.close(), slow.closed()])
  })

  it('cuts requests in progress on closeNow', async () => {
    const { handler, waiting } = held()
    const { port, listener } = await listen(handler)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'content-length': 1 }, 'x'))
    await until(() => waiting.length === 1)
    const closed = listener.close()
    listener.closeNow()
    expect(await connection.closed()).toBe('')
    await closed
    waiting[0]?.(ok('nobody hears it'))
  })

  it('can be closed without having been opened', async () => {
    const { log } = testContext()
    await new Listener({ host: '127.0.0.1', port: 0, log, onResponse: () => {} }).close()
  })
})
