import { expect, onTestFinished, test, vi } from 'vitest'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { METRICS } from '../../src/metrics/table.js'
import { createShared } from '../../src/pipeline/shared.js'
import { ledgerResult } from '../../src/workers/ledger-results.js'
import type { ConfigMessage } from '../../src/workers/messages.js'
import { createReporter } from '../../src/workers/metrics.js'
import { WorkerConfig } from '../../src/workers/worker-config.js'
import { testContext } from '../helpers/context.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { eventOf, inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'

const inInbox = (settings: object = {}) =>
  inlineConfig({
    inbox: { topic: 'inbox' },
    deadLetter: { topic: 'dead' },
    postCommit: [{ plugin: 'tell', rate: 10, concurrency: 5 }],
    ...settings,
  })

/** One of some workers, with a pipeline that has an inbox of four partitions. */
async function startedWorker({ workers = 2, worker = 1 } = {}) {
  const inline = inlinePlugins()
  const metrics = new ProcessMetrics()
  const { log, lines } = testContext()
  const deadline = new AbortController()
  const drained: number[] = []
  const shared = createShared({ metrics, log: () => log, signal: deadline.signal })
  const config = new WorkerConfig({
    deps: {
      metrics,
      log: () => log,
      shared,
      sharedBy: workers,
      worker,
      http: () => ({ memory: { take: () => true, add() {}, release() {} }, serve: () => () => {} }),
      signal: deadline.signal,
      commit: () => Promise.reject(new Error('the primary process commits nothing')),
    },
    read: async ({ contents }) => readText([...contents.values()].join(''), inline.definitions),
    onDrained: (generation) => drained.push(generation),
  })
  let generation = 0
  const messageOf = (text: string): ConfigMessage => ({
    generation: ++generation,
    revision: '',
    contents: [['/config.json', text]],
    targetStates: {},
  })
  await config.start(messageOf(inInbox()))
  onTestFinished(async () => {
    deadline.abort()
    await config.stop()
  })
  const report = createReporter({
    worker: '1',
    metrics,
    usage: () => ({ connections: 0, bodyBytes: 0 }),
    sharedGauges: shared.gauges,
    pipelines: () => config.running(),
  })
  const gauge = ({ name }: { readonly name: string }) =>
    report().gauges.find((each) => each.name === name)?.value
  return { inline, config, messageOf, gauge, report, drained, lines }
}

test('a worker accepts an event of a pipeline with an inbox, works it off and acknowledges it by itself', async () => {
  const { inline, config } = await startedWorker()
  expect(config.running()).toMatchObject([{ name: 'orders', role: 'whole' }])
  expect(await inline.intake(() => eventOf('a'))).toMatchObject({ kind: 'accepted', id: 'a' })
  await vi.waitFor(() => expect(inline.acknowledged).toMatchObject([{ id: 'a' }]))
  expect(inline.inbox.written).toMatchObject([{ target: { topic: 'events', partition: 0 } }])
  expect(inline.written).toEqual([])
})

test('it reports its part of the inbox, its share of the limits, and the limit of all workers for events in flight', async () => {
  const { config, gauge, report } = await startedWorker()
  await vi.waitFor(() => expect(gauge(METRICS.inboxPartitions)).toBe(4))
  expect(gauge(METRICS.inboxPartitionsInUse)).toBe(4)
  expect(gauge(METRICS.ledgerPending)).toBe(0)
  expect(gauge(METRICS.ledgerPendingLimit)).toBe(50_000)
  // The source divides it itself.
  expect(gauge(METRICS.inflightEventsLimit)).toBe(500)
  expect(gauge(METRICS.pipelinePaused)).toBe(0)
  const [acknowledger] = await ledgerResult(config.find('orders'), 'acknowledgers')
  expect(acknowledger?.limit).toBe(5)
  expect(report().notReady).toEqual([])
})

test('if there are more workers than partitions, the first of them says so in the log', async () => {
  const warnings = async (workers: number, worker: number) => {
    const { gauge, lines } = await startedWorker({ workers, worker })
    await vi.waitFor(() => expect(gauge(METRICS.inboxPartitions)).toBe(4))
    return lines.filter(({ level }) => level === 'warn')
  }
  expect(await warnings(6, 1)).toMatchObject([
    {
      fields: { topics: ['inbox'], partitions: 4, workers: 6 },
      message: expect.stringContaining('2 of the workers have nothing to work off'),
    },
  ])
  expect(await warnings(6, 2)).toEqual([])
  expect(await warnings(4, 1)).toEqual([])
})

test('it reports why it takes no events, with the stage', async () => {
  const { inline, report } = await startedWorker()
  inline.notReady = ['Kafka is down.']
  expect(report().notReady).toEqual([{ pipeline: 'orders', part: 'sink.memory', reason: 'Kafka is down.' }])
})

test('it responds to questions about its ledger', async () => {
  const { inline, config } = await startedWorker()
  inline.acknowledge = () => new Promise(() => {})
  await inline.intake(() => eventOf('a'))
  const pipeline = config.find('orders')
  await vi.waitFor(async () =>
    expect(await ledgerResult(pipeline, 'report')).toMatchObject({ pending: [{ count: 1 }, {}, {}, {}, {}] }),
  )
  expect(await ledgerResult(pipeline, 'partitions')).toHaveLength(4)
  expect(await ledgerResult(pipeline, 'instances')).toMatchObject({ kind: 'shared', own: ['host/0'] })
  await expect(ledgerResult(config.find('others'), 'report')).rejects.toMatchObject({
    code: 'HG_WORKER_FAILED',
  })
})

test('at a stop it leaves the others its partitions, and returns the acknowledgements that it did not make', async () => {
  const { inline, config, gauge } = await startedWorker()
  inline.acknowledge = async () => ({ kind: 'retry', error: new Error('not now') as never, after: 60_000 })
  await inline.intake(() => eventOf('a'))
  await vi.waitFor(() => expect(gauge(METRICS.ledgerPending)).toBe(1))
  expect(await config.stop()).toEqual([{ pipeline: 'orders', inFlight: 0, unacknowledged: 1 }])
  expect(inline.inbox.members).toEqual([])
})

test('a reload takes effect in the worker, whose ledger stays', async () => {
  const { inline, config, messageOf, drained } = await startedWorker()
  const [before] = config.running()
  const edited = inInbox({ transforms: [{ plugin: 'everything', config: { size: 4 } }] })
  await config.prepare({ kind: 'prepare', config: messageOf(edited), restart: [] })
  await config.quiesce()
  config.commit()
  const [after] = config.running()
  expect(after?.role === 'whole' && before?.role === 'whole' && after.ledger === before.ledger).toBe(true)
  expect(after?.stages.transforms).not.toEqual(before?.stages.transforms)
  expect(await inline.intake(() => eventOf('a'))).toMatchObject({ kind: 'accepted' })
  await vi.waitFor(() => expect(inline.acknowledged).toHaveLength(1))
  expect(drained).toEqual([1])
  expect(inline.inbox.members).toHaveLength(1)
})

test('another inbox is refused, and everything stays', async () => {
  const { inline, config, messageOf } = await startedWorker()
  const before = config.running()
  const other = inInbox({ inbox: { topic: 'another' } })
  await expect(
    config.prepare({ kind: 'prepare', config: messageOf(other), restart: [] }),
  ).rejects.toMatchObject({ code: 'HG_RELOAD_RESTART' })
  await config.rollback()
  expect(config.running()).toBe(before)
  expect(await inline.intake(() => eventOf('a'))).toMatchObject({ kind: 'accepted' })
})

test('a pipeline that comes back while its acknowledgements are drained starts when that has ended', async () => {
  const { inline, config, messageOf } = await startedWorker()
  const reload = async (text: string) => {
    await config.prepare({ kind: 'prepare', config: messageOf(text), restart: [] })
    await config.quiesce()
    config.commit()
  }
  inline.acknowledge = async () => ({ kind: 'retry', error: new Error('not now') as never, after: 1000 })
  await inline.intake(() => eventOf('a'))
  await vi.waitFor(() => expect(inline.inbox.written).toHaveLength(1))
  await reload(inInbox().replace('"orders"', '"others"'))
  await reload(inInbox())
  expect(config.running()).toMatchObject([{ name: 'orders', role: 'whole' }])
  inline.acknowledge = async () => ({ kind: 'acknowledged' })
  await vi.waitFor(() => expect(inline.acknowledged).toMatchObject([{ id: 'a' }]))
  expect(inline.inbox.written).toHaveLength(1)
})
