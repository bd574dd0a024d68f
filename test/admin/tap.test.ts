import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { tapRoutes } from '../../src/admin/tap.js'
import type { CheckedConfig } from '../../src/config/read.js'
import type { TriedEvent } from '../../src/dry-run/dry-run-process.js'
import type { ExplanationJson } from '../../src/dry-run/explanation.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { MOST_TAPS, Taps } from '../../src/tap/tap.js'
import { testContext } from '../helpers/context.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { completedEvent } from '../tap/setup.js'
import { idleAdmin } from './idle-admin.js'

const config = {
  pipelines: [
    {
      name: 'orders',
      transforms: [{ definition: { rules: () => [{ name: 'eu' }, { name: 'otherwise' }] }, config: {} }],
    },
    { name: 'returns', transforms: [{ definition: { rules: () => [{ name: 'us' }] }, config: {} }] },
  ],
} as unknown as CheckedConfig

/** A dry run that has looked at the card. */
const explain = async ({ pipeline, id, body }: TriedEvent) =>
  ({
    revision: 'r1',
    route: 'eu',
    steps: [
      {
        stage: 'transform.0.route',
        plugin: 'route',
        decision: 'pass',
        details: [{ name: 'rule eu', result: 'matched', looked: [{ at: `${pipeline} ${id}`, found: body }] }],
      },
    ],
  }) as unknown as ExplanationJson

async function tapped() {
  const { log } = testContext()
  const taps = new Taps({
    metrics: new ProcessMetrics(),
    log,
    secrets: () => new Map([['hush-hush', '${env:S}']]),
  })
  const admin = await idleAdmin(
    tapRoutes(
      taps,
      () => config,
      (text) => text.replaceAll('hush-hush', '${env:S}'),
      { explain },
    ),
    { log },
  )
  const offer = (completed = completedEvent({})) => {
    for (const tap of taps.running) tap.offer(completed)
  }
  const get = (query = '', init: RequestInit = {}) => fetch(`${admin.url}/tap${query}`, init)
  return { taps, admin, offer, get }
}

test('events come a JSON object a line, until there are as many as were asked for', async () => {
  const { get, offer, taps } = await tapped()
  const response = await get('?limit=2&pipeline=orders&route=eu&rate=50')
  expect(response.headers.get('content-type')).toBe('application/x-ndjson')
  for (const rule of ['us', 'eu', 'eu', 'eu']) offer(completedEvent({ rule }))
  const lines = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines).toMatchObject([
    { kind: 'tapping', pipelines: ['orders'], rate: 50 },
    { kind: 'event', id: 'a', route: 'eu' },
    { kind: 'event' },
    { kind: 'end', why: 'limit' },
  ])
  expect(taps.running.size).toBe(0)
})

test('for a client that accepts events, each line is one', async () => {
  const { admin, offer } = await tapped()
  const response = await fetch(`${admin.url}/tap?limit=1`, { headers: { accept: 'text/event-stream' } })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  offer(completedEvent({}))
  const kinds = (await response.text())
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => JSON.parse(event.replace('data: ', '')).kind)
  expect(kinds).toEqual(['tapping', 'event', 'end'])
})

test.each([
  ['?pipelin=orders', 'There is no parameter "pipelin". Did you mean "pipeline"?'],
  ['?pipeline=order', 'There is no pipeline "order". Did you mean "orders"?'],
  ['?pipeline=x', 'There is no pipeline "x". Expected one of orders, returns.'],
  ['?pipeline=returns&route=eu', 'There is no rule "eu". Did you mean "us"?'],
  ['?route=hush-hush', 'There is no rule "${env:S}". Expected one of eu, otherwise, us.'],
  ['?outcome=droped', 'There is no outcome "droped". Did you mean "dropped"?'],
  ['?code=HG_SCHEMA', 'There is no code "HG_SCHEMA". "headgate help errors" lists them.'],
  ['?mask=ssn', 'mask should be a JSON Pointer such as "/payload/items/*/card"; it is "ssn".'],
  ['?rate=101', 'rate should be a whole number from 1 to 100; it is "101".'],
  ['?payload=1MiB', 'payload should be a size up to 64KiB such as 512B or 4KiB; it is "1MiB".'],
  ['?limit=0', 'limit should be a whole number from 1; it is "0".'],
  ['?for=soon', 'for should be a duration such as 30s or 5m; it is "soon".'],
  ['?for=365d', 'for should be a duration such as 30s or 5m; it is "365d".'],
])('%s is refused with what would be right', async (query, detail) => {
  const { get } = await tapped()
  const response = await get(query)
  expect([response.status, response.headers.get('content-type')]).toEqual([400, 'application/problem+json'])
  expect(await response.json()).toMatchObject({ status: 400, code: 'HG_TAP_REFUSED', detail })
})

test('one too many is told so', async () => {
  const { get, taps } = await tapped()
  await Promise.all(Array.from({ length: MOST_TAPS }, () => get()))
  const response = await get()
  expect(response.status).toBe(429)
  expect(await response.json()).toMatchObject({ code: 'HG_TAP_BUSY' })
  expect(taps.running.size).toBe(MOST_TAPS)
})

test('it ends when the reader leaves', async () => {
  const { get, taps } = await tapped()
  const leaving = new AbortController()
  await get('', { signal: leaving.signal })
  expect(taps.running.size).toBe(1)
  leaving.abort()
  await expect.poll(() => taps.running.size).toBe(0)
})

test('it ends when Headgate stops, and the reader is told', async () => {
  const { get, taps } = await tapped()
  const response = await get()
  taps.close()
  expect(await response.text()).toMatch(/\{"kind":"end","why":"stopping"\}\n$/)
})

test('HEAD asks whether it would be answered, and takes no place', async () => {
  const { get, taps } = await tapped()
  expect((await get('', { method: 'HEAD' })).status).toBe(200)
  expect(taps.running.size).toBe(0)
})

test('a reader that does not read holds up nothing and loses events, not memory', async () => {
  const { admin, taps, offer } = await tapped()
  const { hostname, port } = new URL(admin.url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  socket.write('GET /tap?rate=100 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  socket.pause()
  await expect.poll(() => taps.running.size).toBe(1)
  const long = completedEvent({ pipeline: { name: 'p'.repeat(3e6), masks: [] } as never })
  for (let n = 0; n < 100; n++) offer(long)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
  socket.resume()
  const skipped = () => /"skipped","count":(\d+)/.exec(Buffer.concat(chunks).toString())?.[1]
  await expect.poll(skipped, { timeout: 10_000 }).toBe('99')
})

test('a reader can ask about an event that its tap has shown, also once it has closed the tap', async () => {
  const { admin, offer, taps } = await tapped()
  const stopping = new AbortController()
  const response = await fetch(`${admin.url}/tap?keep=true&limit=1`, { signal: stopping.signal })
  offer()
  const [first = '', shown = ''] = (await response.text()).split('\n')
  const [tap, number] = [JSON.parse(first).tap, JSON.parse(shown).number]
  expect(taps.running.size).toBe(0)
  const detail = await fetch(`${admin.url}/tap/${tap}/${number}`)
  expect(await detail.json()).toMatchObject({ number, id: 'a', outcome: 'delivered', attempts: [] })
  expect((await fetch(`${admin.url}/tap/${tap}/${number + 1}`)).status).toBe(404)
})

test('why the config decides so on an event is asked when a reader asks, and shows nothing masked', async () => {
  const { admin, offer } = await tapped()
  const response = await fetch(`${admin.url}/tap?keep=true&limit=1`)
  offer(completedEvent({ event: eventOf('a', { card: '4111', n: 1 }), masks: [['card']] }))
  await response.text()
  const explained = await (await fetch(`${admin.url}/tap/1/1/explanation`)).json()
  expect(explained).toMatchObject({
    route: 'eu',
    steps: [{ details: [{ looked: [{ at: 'orders a', found: '{"card":"***","n":1}' }] }] }],
  })
  expect((await fetch(`${admin.url}/tap/1/2/explanation`)).status).toBe(404)
})

test('an event whose request rules read is not explained: nothing of a request is shown', async () => {
  const { admin, offer } = await tapped()
  const response = await fetch(`${admin.url}/tap?keep=true&limit=1`)
  offer(completedEvent({ event: { ...eventOf('a'), request: { headers: { 'x-key': 'secret' } } } }))
  await response.text()
  const explained = await fetch(`${admin.url}/tap/1/1/explanation`)
  expect([explained.status, await explained.text()]).toEqual([409, expect.not.stringContaining('secret')])
})
