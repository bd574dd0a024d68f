import { expect, onTestFinished, test } from 'vitest'
import { Admin, type AdminHost, type AdminOptions, openAdmin } from '../../src/admin/admin.js'
import { testContext } from '../helpers/context.js'

const OPEN = ['/health', '/ready', '/metrics']

async function adminWith(shown: Partial<AdminHost> = {}, options: Partial<AdminOptions> = {}) {
  const { log } = testContext()
  const all = { host: '127.0.0.1', port: 0, tokenFile: '', open: OPEN, log, ...options }
  const admin = await openAdmin(all, {
    notReady: () => [],
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'headgate_up 1\n' }),
    details: () => ({ revision: 'abc' }),
    ledgers: async () => ({ orders: { pending: [] } }),
    retryFailed: async () => ({ orders: 3 }),
    reload: async () => ({ done: { result: 'unchanged' } }),
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
  const response = await get('/ready')
  expect(response.status).toBe(503)
  expect(await response.json()).toEqual({ ready: false, reasons, revision: 'abc' })
})

test('until there is more to show, probes are answered, and everything else is told to wait', async () => {
  const { log } = testContext()
  const options = { host: '127.0.0.1', port: 0, tokenFile: '', open: OPEN, log }
  const admin = await Admin.open(options, () => ['Headgate is starting.'])
  onTestFinished(() => admin.close())
  const get = (path: string) => fetch(admin.url + path)
  expect((await get('/health')).status).toBe(200)
  const ready = await get('/ready')
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { ready: false, reasons: ['Headgate is starting.'] },
  ])
  const early = await get('/connectors')
  expect([early.status, early.headers.get('retry-after')]).toEqual([503, '1'])
  const shown: AdminHost = {
    notReady: () => [],
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    details: () => ({}),
    ledgers: async () => ({}),
    retryFailed: async () => ({}),
    reload: async () => ({ done: {} }),
  }
  admin.serve(shown, [])
  expect((await get('/ready')).status).toBe(200)
  expect((await get('/connectors')).status).toBe(404)
})

test('/metrics is what Prometheus reads', async () => {
  const get = await adminWith()
  const response = await get('/metrics')
  expect(response.headers.get('content-type')).toContain('version=0.0.4')
  expect(await response.text()).toBe('headgate_up 1\n')
})

test('other paths and methods are refused in the shape of Kafka Connect', async () => {
  const get = await adminWith()
  const missing = await get('/nope?x=1')
  expect([missing.status, await missing.json()]).toEqual([
    404,
    {
      error_code: 404,
      message:
        'There is nothing at /nope; try /health, /ready, /metrics, /ledger, /ledger/retry, /config/reload.',
    },
  ])
  const posted = await get('/ready', { method: 'POST' })
  expect([posted.status, await posted.json()]).toEqual([
    405,
    { error_code: 405, message: 'The method POST is not allowed here; allowed: GET.' },
  ])
  expect(posted.headers.get('allow')).toBe('GET')
})

test('the ledger is shown and its failed acknowledgements retried', async () => {
  const get = await adminWith()
  expect(await (await get('/ledger')).json()).toEqual({ orders: { pending: [] } })
  expect(await (await get('/ledger/retry', { method: 'POST' })).json()).toEqual({ orders: 3 })
})

test('an address that is in use is a clear error', async () => {
  const get = await adminWith()
  const { port } = new URL((await get('/health')).url)
  await expect(adminWith({}, { port: Number(port) })).rejects.toMatchObject({ code: 'HG_LISTEN_FAILED' })
})

test('a reload is asked for by POST: 200 with what is different, 422 with what is wrong', async () => {
  let came: Awaited<ReturnType<AdminHost['reload']>> = {
    done: { result: 'success', changed: ['orders: sink.kafka'] },
  }
  const reload = async () => came
  const get = await adminWith({ reload })
  const done = await get('/config/reload', { method: 'POST' })
  expect([done.status, await done.json()]).toEqual([
    200,
    { result: 'success', changed: ['orders: sink.kafka'] },
  ])
  came = { problem: { code: 'HG_CONFIG_SYNTAX' } }
  const refused = await get('/config/reload', { method: 'POST' })
  expect(refused.status).toBe(422)
  expect(refused.headers.get('content-type')).toBe('application/problem+json')
  expect(await refused.json()).toEqual({ code: 'HG_CONFIG_SYNTAX' })
  expect((await get('/config/reload')).status).toBe(405)
})
