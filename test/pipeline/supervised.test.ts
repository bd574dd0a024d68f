import { expect, test } from 'vitest'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { METRICS } from '../../src/metrics/table.js'
import { stopPipeline } from '../../src/pipeline/lifecycle.js'
import type { WorkersLedger } from '../../src/pipeline/pipeline.js'
import { Transition } from '../../src/pipeline/reload/transition.js'
import { buildPrimaryPipeline, isWholeInWorkers } from '../../src/pipeline/supervised.js'
import { httpWebhook } from '../../src/plugins/source/http-webhook/index.js'
import { kafkaSource } from '../../src/plugins/source/kafka/index.js'
import { testContext } from '../helpers/context.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'

const INBOX = { inbox: { topic: 'inbox' }, deadLetter: { topic: 'dead' } }

function primary({ hasWorkers = true } = {}) {
  const inline = inlinePlugins()
  const metrics = new ProcessMetrics()
  const { log } = testContext()
  const { signal } = new AbortController()
  const ledger = {} as WorkersLedger
  const deps = {
    metrics,
    log: () => log,
    http: () => ({ memory: { take: () => true, add() {}, release() {} }, serve: () => () => {} }),
    openStore: () => Promise.reject(new Error('nothing of it starts')),
    signal,
  }
  const build = (settings: object, running?: ReturnType<typeof buildPrimaryPipeline>) => {
    const read = readText(inlineConfig(settings), inline.definitions)
    const [checked] = read.ok ? read.config.pipelines : []
    if (!read.ok || checked === undefined) throw new Error('the config has no pipeline')
    return buildPrimaryPipeline(read.config, checked, deps, hasWorkers ? () => ledger : undefined, running)
  }
  return { build, inline, metrics, signal, ledger }
}

test('with workers a pipeline with an inbox is supervised: nothing of it starts, and its ledger is that of the workers', async () => {
  const { build, inline, signal, ledger } = primary()
  const pipeline = build(INBOX)
  expect(pipeline).toMatchObject({ name: 'orders', role: 'supervised' })
  expect(pipeline.ledger).toBe(ledger)
  await Transition.start([pipeline], signal)
  expect(inline.order).toEqual([])
  expect(inline.inbox.members).toEqual([])
  expect(await stopPipeline(pipeline, signal)).toEqual({ pipeline: 'orders', inFlight: 0, unacknowledged: 0 })
})

test('its counts begin at 0, and its gauges are those of the workers only', async () => {
  const { build, metrics, signal } = primary()
  await Transition.start([build(INBOX)], signal)
  expect(metrics.read([METRICS.inboxEventsTotal]).map(({ values }) => values)).toEqual([[0], [0], [0], [0]])
  const gauges = [METRICS.ledgerPending, METRICS.inboxLag, METRICS.pipelinePaused, METRICS.inflightEvents]
  expect(metrics.read(gauges)).toEqual([])
  const reports = [1, 2].map((value) => ({ lag: value, age: value * 10 }))
  metrics.alsoShow(() =>
    reports.flatMap(({ lag, age }) => [
      { name: METRICS.inboxLag.name, labels: { pipeline: 'orders' }, value: lag },
      { name: METRICS.inboxOldestSeconds.name, labels: { pipeline: 'orders' }, value: age },
      { name: METRICS.inboxRetentionSeconds.name, labels: { pipeline: 'orders' }, value: age },
      { name: METRICS.inflightEventsLimit.name, labels: { pipeline: 'orders' }, value: 500 },
    ]),
  )
  const { inboxLag, inboxOldestSeconds, inboxRetentionSeconds, inflightEventsLimit } = METRICS
  expect(
    metrics
      .read([inboxLag, inboxOldestSeconds, inboxRetentionSeconds, inflightEventsLimit])
      .map(({ values }) => values),
  ).toEqual([[3], [20], [10], [500]])
})

test('without workers, or without an inbox, the primary process has the pipeline whole', () => {
  expect(primary({ hasWorkers: false }).build(INBOX).role).toBe('whole')
  expect(primary().build({}).role).toBe('whole')
})

test.each([
  [kafkaSource, true],
  [httpWebhook, false],
])(
  'whether workers have a pipeline without an inbox whole is a matter of its source',
  (definition, isWhole) => {
    const checked = { settings: {}, source: { definition } } as unknown as Parameters<
      typeof isWholeInWorkers
    >[0]
    expect(isWholeInWorkers(checked)).toBe(isWhole)
  },
)

test('a reload keeps the unchanged stages, and cannot give the pipeline an inbox or take it', () => {
  const { build } = primary()
  const before = build(INBOX)
  const after = build({ ...INBOX, transforms: [{ plugin: 'everything', config: { size: 4 } }] }, before)
  expect(after.role).toBe('supervised')
  expect(after.stages.sink).toBe(before.stages.sink)
  expect(after.stages.transforms).not.toEqual(before.stages.transforms)
  const refused = {
    code: 'HG_RELOAD_RESTART',
    message: expect.stringContaining('The inbox of the pipeline changes'),
  }
  expect(() => build({}, before)).toThrow(expect.objectContaining(refused))
  expect(() => build(INBOX, build({}))).toThrow(expect.objectContaining(refused))
})
