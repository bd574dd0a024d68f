import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { PipelineShape, Traffic } from '../../src/admin/api.js'
import { type ConsoleData, consoleDataRoutes } from '../../src/admin/console-data.js'
import type { Route, StreamedResponse } from '../../src/admin/routes.js'
import { metric } from '../../src/contract/index.js'
import { History } from '../../src/metrics/history.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { idleAdmin } from './idle-admin.js'

const EVENTS = metric({ name: 'events_total', type: 'counter', help: 'x', labels: { outcome: [] } })

const pipeline = {
  name: 'orders',
  runtime: { targetState: 'RUNNING' },
  stages: {
    source: { name: 'source.http-webhook', plugin: 'http-webhook', instance: {} },
    transforms: [{ name: 'transform.0.route', plugin: 'route' }],
    sink: { name: 'sink.kafka', plugin: 'kafka' },
    postCommit: [{ name: 'post-commit.0.ack', plugin: 'ack' }],
  },
}
const rules = [
  { name: 'eu', to: { topic: 'orders.eu', partition: 1 } },
  { name: 'otherwise', to: 'drop' },
]
const checked = {
  name: 'orders',
  settings: { deadLetter: { topic: 'orders.dlq' } },
  transforms: [{ definition: { rules: () => rules }, config: {} }],
}

async function served() {
  const metrics = new ProcessMetrics()
  const history = new History(() => metrics.read([EVENTS]))
  const admin = await idleAdmin(
    consoleDataRoutes({
      history,
      config: () => ({ revision: 'abc', pipelines: [checked] }),
      running: () => [pipeline],
      notReady: () => ['orders: Kafka is not reachable.'],
    } as unknown as ConsoleData),
  )
  const delivered = metrics.counter<string>(EVENTS, { pipeline: 'orders', outcome: 'delivered' })
  return { url: admin.url, history, delivered }
}

/** The messages of a stream, one call each. */
async function listen(url: string) {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const response = await fetch(`${url}/traffic`, {
    headers: { accept: 'text/event-stream' },
    signal: stop.signal,
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    type: response.headers.get('content-type'),
    async next(): Promise<Traffic> {
      while (!text.includes('\n\n')) text += (await reader?.read())?.value ?? ''
      const end = text.indexOf('\n\n')
      const message = text.slice('data: '.length, end)
      text = text.slice(end + 2)
      return JSON.parse(message)
    },
  }
}

test('/pipelines has the stages of each pipeline, and where its rules send events', async () => {
  const { url } = await served()
  const { pipelines } = (await (await fetch(`${url}/pipelines`)).json()) as { pipelines: PipelineShape[] }
  expect(pipelines).toEqual([
    {
      name: 'orders',
      state: 'RUNNING',
      shared: false,
      source: { stage: 'source.http-webhook', plugin: 'http-webhook' },
      transforms: [{ stage: 'transform.0.route', plugin: 'route', rules }],
      sink: { stage: 'sink.kafka', plugin: 'kafka' },
      deadLetter: { topic: 'orders.dlq' },
      postCommit: [{ stage: 'post-commit.0.ack', plugin: 'ack' }],
    },
  ])
})

test('/traffic has the traffic of 15 minutes once, as JSON', async () => {
  const { url, history, delivered } = await served()
  delivered.inc(3)
  history.sample()
  expect(await (await fetch(`${url}/traffic`)).json()).toMatchObject({
    revision: 'abc',
    notReady: ['orders: Kafka is not reachable.'],
    step: 5,
    pipelines: [{ pipeline: 'orders', points: { outcomes: { delivered: [3] } } }],
  })
})

test('for a client that accepts events it is a stream: first all points, then the new ones', async () => {
  const { url, history, delivered } = await served()
  for (const count of [1, 2]) {
    delivered.inc(count)
    history.sample()
  }
  const stream = await listen(url)
  expect(stream.type).toBe('text/event-stream')
  const points = async () => (await stream.next()).pipelines[0]?.points.outcomes.delivered
  expect(await points()).toEqual([1, 2])
  delivered.inc(7)
  history.sample()
  expect(await points()).toEqual([7])
  expect(await points()).toEqual([])
})

test('nothing is read while nobody listens', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const routes = consoleDataRoutes({
    history: new History(() => []),
    config: () => ({ revision: 'abc', pipelines: [] }),
    running: () => [],
    notReady: () => [],
    writable: false,
  })
  const listen = async () => {
    const request = { params: {}, query: new URLSearchParams(), body: undefined }
    const route = routes.find(({ path }) => path === '/traffic') as Route
    const response = new PassThrough()
    const streamed = await route.handle({ ...request, headers: { accept: 'text/event-stream' } })
    ;(streamed as StreamedResponse).stream(response)
    return response
  }
  const listeners = [await listen(), await listen()]
  expect(vi.getTimerCount()).toBe(1)
  for (const listener of listeners) await once(listener.destroy(), 'close')
  expect(vi.getTimerCount()).toBe(0)
})
