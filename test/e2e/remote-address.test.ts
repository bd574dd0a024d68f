import { expect, test } from 'vitest'
import type { RefusedList } from '../../src/admin/api.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import { WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { eventText } from '../helpers/processes/deployment.js'
import { TOKEN } from '../helpers/processes/sandboxed.js'
import { startWithWorkers } from '../helpers/processes/with-workers.js'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'

const LIMITS = `
  "trustedProxies": ["198.51.100.0/24"],
  "allow": ["203.0.113.0/24"],
  "rateLimit": { "pipeline": { "rate": 0.01, "burst": 2 } },
  "eventId"`

test('workers know the address behind a load balancer and a proxy, refuse by it, share a limit, and all of it is shown', async () => {
  const { headgate } = await startWithWorkers({
    edit: (config) => config.replace('"eventId"', LIMITS),
    env: { HEADGATE_PROXY_PROTOCOL: '127.0.0.0/8' },
  })
  /** Each on a connection of its own, which the load balancer has got from `peer`. */
  const statusOf = async (id: string, peer: string, headers: { readonly [name: string]: string } = {}) => {
    const body = eventText(id, '{}')
    const connection = await rawConnection(Number(new URL(headgate.intake).port))
    const all = {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
      ...headers,
    }
    connection.send(`PROXY TCP4 ${peer} 127.0.0.1 4711 443\r\n${rawRequest('POST', WEBHOOK_PATH, all, body)}`)
    return Number((await connection.closed()).slice('HTTP/1.1 '.length, 'HTTP/1.1 '.length + 3))
  }
  expect(await statusOf('stranger', '192.0.2.1', { 'x-forwarded-for': '203.0.113.9' })).toBe(403)
  expect(await statusOf('stranger', '198.51.100.1', { 'x-forwarded-for': '203.0.113.9, 192.0.2.2' })).toBe(
    403,
  )
  // Two workers have room for one event each, and the system decides which of them gets a connection.
  const statuses: number[] = []
  for (
    let sent = 0;
    statuses.filter((status) => status === 200).length < 2 || !statuses.includes(429);
    sent++
  )
    statuses.push(
      await statusOf(`event-${sent}`, '198.51.100.1', { 'x-forwarded-for': '192.0.2.1, 203.0.113.9' }),
    )
  expect(new Set(statuses)).toEqual(new Set([200, 429]))
  expect(statuses.filter((status) => status === 200)).toHaveLength(2)

  const limited = statuses.length - 2
  const { refused } = (await (await fetch(new URL('/refused', headgate.admin))).json()) as RefusedList
  const addresses = (code: string) =>
    refused.flatMap((line) => (line.code === code ? [line.remoteAddress] : [])).sort()
  expect(addresses('HG_INTAKE_NOT_ALLOWED')).toEqual(['192.0.2.1', '192.0.2.2'])
  expect(new Set(addresses('HG_INTAKE_LIMIT_PIPELINE'))).toEqual(new Set(['203.0.113.9']))
  const counted = async () => {
    const counts = await scrape(headgate.admin)
    const events = (outcome: string) => counts.sum('headgate_events_total', { outcome })
    return [
      events('delivered'),
      events('rejected'),
      events('limited'),
      counts.sum('headgate_rate_limited_requests_total', { limit: 'pipeline' }),
    ]
  }
  await expect.poll(counted, { timeout: 10_000 }).toEqual([2, 2, limited, limited])
  expect(headgate.lines.join('\n')).toContain('"remote_address":"203.0.113.9"')
  expect(await headgate.stop()).toEqual({ code: 0, signal: null })
})
