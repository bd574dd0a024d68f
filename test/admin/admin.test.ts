import { expect, onTestFinished, test } from 'vitest'
import { openAdmin, type Shown } from '../../src/admin/admin.js'

async function adminWith(shown: Partial<Shown> = {}) {
  const admin = await openAdmin('127.0.0.1', 0, {
    notReady: () => [],
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'headgate_up 1\n' }),
    details: () => ({ revision: 'abc' }),
    ...shown,
  })
  onTestFinished(() => admin.close())
  return (path: string, init?: RequestInit) => fetch(admin.url + path, init)
}

test('/health says that the process lives', async () => {
  const get = await adminWith({ notReady: () => ['Kafka is down.'] })
  expect((await get('/health')).status).toBe(200)
})

test('/ready is 200 with what runs, or 503 with every reason', async () => {
  const reasons: string[] = []
  const get = await adminWith({ notReady: () => reasons })
  expect(await (await get('/ready')).json()).toEqual({ ready: true, reasons: [], revision: 'abc' })
  reasons.push('orders: Kafka is not reachable.')
  const answer = await get('/ready')
  expect(answer.status).toBe(503)
  expect(await answer.json()).toEqual({ ready: false, reasons, revision: 'abc' })
})

test('/metrics is what Prometheus reads', async () => {
  const get = await adminWith()
  const answer = await get('/metrics')
  expect(answer.headers.get('content-type')).toContain('version=0.0.4')
  expect(await answer.text()).toBe('headgate_up 1\n')
})

test('other paths and methods are refused in the shape of Kafka Connect', async () => {
  const get = await adminWith()
  const missing = await get('/nope?x=1')
  expect([missing.status, await missing.json()]).toEqual([
    404,
    { error_code: 404, message: 'There is nothing at /nope; try /health, /ready, /metrics.' },
  ])
  const posted = await get('/ready', { method: 'POST' })
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
})
