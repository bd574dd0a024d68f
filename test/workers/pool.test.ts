import { expect, onTestFinished, test } from 'vitest'
import type { CheckedConfig } from '../../src/config/read.js'
import { HeadgateError } from '../../src/contract/errors.js'
import { type Attempt, metric as declare } from '../../src/contract/index.js'
import { RefusedRequests, refusedBytes } from '../../src/http/refused.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import type { Tap } from '../../src/pipeline/taps.js'
import { readSettings } from '../../src/process/settings.js'
import { WorkerPool } from '../../src/workers/pool.js'
import { toRefusedMessage } from '../../src/workers/refused-message.js'
import { testContext } from '../helpers/context.js'
import { deferred } from '../helpers/deferred.js'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'
import { type FakeWorker, fakeWorkers } from './fake-workers.js'

const configOf = (revision: string): CheckedConfig =>
  ({
    revision,
    contents: () => new Map([['/config.json', revision]]),
    pipelines: [{ name: 'orders', source: { definition: {} }, settings: {} }],
  }) as unknown as CheckedConfig

/** The result of an attempt that the primary process makes itself. */
const HERE: Attempt = { kind: 'acknowledged' }

/** Two workers that are up, under a config of the revision "first". */
async function startedWorkers(up?: (processes: readonly FakeWorker[]) => Promise<unknown>) {
  const { pipeline } = await runningPipeline()
  const { pipeline: other } = await runningPipeline()
  const areUp = deferred()
  const { start, workers: processes } = fakeWorkers(areUp.promise)
  const read = readSettings({}, {})
  if (!read.ok) throw new Error(read.problems.join())
  const { log, lines } = testContext()
  const metrics = new ProcessMetrics()
  const said: string[] = []
  const refused = new RefusedRequests()
  const taps = new Set<Tap>()
  const workers = new WorkerPool({
    count: 2,
    settings: read.settings,
    metrics,
    log,
    line: (line) => said.push(line),
    refused,
    taps: () => taps,
    targetStateOf: () => 'PAUSED',
    signal: new AbortController().signal,
    start,
  })
  onTestFinished(async () => void (await workers.stop()))
  const starting = workers.start(configOf('first'), [pipeline])
  await up?.(processes)
  areUp.resolve()
  await starting
  const next = { config: configOf('next'), pipelines: [other], restart: [] }
  const metric = async (name: string) =>
    Number(new RegExp(`^headgate_${name} (.*)$`, 'm').exec(await metrics.registry.metrics())?.[1])
  return { workers, processes, lines, said, metric, next, pipeline, refused, taps }
}

const kinds = (messages: readonly { readonly kind: string }[]) => messages.map(({ kind }) => kind)

test('each worker starts with the texts of the config as they were read, and with the target states', async () => {
  const { processes } = await startedWorkers()
  expect(processes.map(({ requests }) => requests)).toMatchObject(
    [1, 2].map((worker) => [
      {
        kind: 'start',
        worker,
        workers: 2,
        config: {
          revision: 'first',
          contents: [['/config.json', 'first']],
          targetStates: { orders: 'PAUSED' },
        },
      },
    ]),
  )
})

test('all workers start at once: none waits until another one is up', async () => {
  await startedWorkers((processes) =>
    expect.poll(() => processes.map(({ requests }) => kinds(requests))).toEqual([['start'], ['start']]),
  )
})

test('a worker that ends by itself is replaced under the config that runs, counted and logged', async () => {
  const { workers, processes, lines, metric, next } = await startedWorkers()
  await workers.prepare(next)
  await workers.quiesce()
  workers.commit()
  processes[0]?.end({ signal: 'SIGSEGV' })
  await expect.poll(() => processes.length).toBe(3)
  expect(processes[2]).toMatchObject({ slot: 1, requests: [{ kind: 'start', config: { revision: 'next' } }] })
  await expect.poll(() => metric('workers')).toBe(2)
  expect(await metric('worker_restarts_total')).toBe(1)
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'error',
      fields: expect.objectContaining({ worker: 1, signal: 'SIGSEGV' }),
    }),
  )
})

test('where one worker cannot take a config, , and it is taken by none', async () => {
  const { workers, processes, next } = await startedWorkers()
  const [, second] = processes
  if (second !== undefined) second.refuse = 'prepare'
  await expect(workers.prepare(next)).rejects.toMatchObject({
    code: 'HG_WORKER_FAILED',
    message: 'No prepare.',
  })
  workers.rollback()
  expect(processes.map(({ sent }) => kinds(sent))).toEqual([['rollback'], ['rollback']])
  processes[0]?.end()
  await expect
    .poll(() => processes[2]?.requests)
    .toMatchObject([{ kind: 'start', config: { revision: 'first' } }])
})

test('a worker that is replaced during a reload starts after it, under the new config', async () => {
  const { workers, processes, next } = await startedWorkers()
  await workers.prepare(next)
  processes[0]?.end()
  await expect.poll(() => processes.length).toBe(3)
  await workers.quiesce()
  expect(processes[2]?.requests).toEqual([])
  workers.commit()
  await expect
    .poll(() => processes[2]?.requests)
    .toMatchObject([{ kind: 'start', config: { revision: 'next' } }])
})

test('a config is drained when every worker has reported so, or has ended', async () => {
  const { workers, processes, next, pipeline } = await startedWorkers()
  await workers.prepare(next)
  await workers.quiesce()
  workers.commit()
  let over = false
  void workers.drained(pipeline).then(() => {
    over = true
  })
  processes[0]?.say({ kind: 'drained', generation: 1 })
  await new Promise((resolve) => setImmediate(resolve))
  expect(over).toBe(false)
  processes[1]?.end()
  await expect.poll(() => over).toBe(true)
})

test('changes by operators reach the workers that run and those that start later', async () => {
  const { workers, processes } = await startedWorkers()
  workers.broadcast({ kind: 'level', name: 'orders', level: 'debug' })
  expect(processes.map(({ sent }) => sent)).toEqual(
    [1, 2].map(() => [{ kind: 'level', name: 'orders', level: 'debug' }]),
  )
  processes[0]?.end()
  await expect.poll(() => processes[2]?.requests).toMatchObject([{ levels: [['orders', 'debug']] }])
})

test('the counts of a worker stay when it has ended, and its gauges go', async () => {
  const { processes, metric, said } = await startedWorkers()
  const labels = { pipeline: 'none' }
  const declaration = declare({
    name: 'answers_total',
    type: 'counter',
    help: 'Answers.',
    labels: { pipeline: [] },
  })
  const counts = { declaration, labels, values: [3] }
  const gauges = [{ name: 'worker_resident_memory_bytes', labels: { worker: '1' }, value: 7 }]
  processes[0]?.say({ kind: 'report', report: { counts: [counts], gauges, notReady: [] } })
  processes[0]?.say({ kind: 'line', line: 'a line' })
  expect(said).toEqual(['a line'])
  expect(await metric('worker_resident_memory_bytes\\{worker="1"\\}')).toBe(7)
  processes[0]?.end()
  await expect.poll(() => metric('worker_resident_memory_bytes\\{worker="1"\\}')).toBeNaN()
  expect(await metric('answers_total\\{pipeline="none"\\}')).toBe(3)
})

test('a worker makes attempts from when it is up until it ends, and one that is starting makes none', async () => {
  const { workers, processes } = await startedWorkers()
  const { acknowledge } = workers.offloadToWorkers('orders', 0, { acknowledge: async () => HERE })
  const attempts = () => processes.map(({ sent }) => kinds(sent).filter((kind) => kind === 'attempt').length)
  const lost = acknowledge({ id: 'a' })
  const under = acknowledge({ id: 'b' })
  expect(attempts()).toEqual([1, 1])
  processes[0]?.end()
  expect(await lost).toMatchObject({ kind: 'retry', error: { code: 'HG_WORKER_FAILED' } })
  void acknowledge({ id: 'c' })
  expect(attempts()).toEqual([1, 2])
  await expect.poll(() => processes.length).toBe(3)
  await expect
    .poll(() => {
      void acknowledge({ id: 'd' })
      return attempts()[2]
    })
    .toBe(1)
  processes[1]?.say({ kind: 'attempted', number: 1 })
  expect(await under).toEqual({ kind: 'acknowledged' })
})

test('if no worker is up, and once they are to stop, the primary process makes the attempts', async () => {
  const { workers, processes } = await startedWorkers()
  const { acknowledge } = workers.offloadToWorkers('orders', 0, { acknowledge: async () => HERE })
  const lost = acknowledge({ id: 'a' })
  for (const process of processes) process.end()
  expect(await lost).toMatchObject({ kind: 'retry' })
  expect(await acknowledge({ id: 'a' })).toBe(HERE)
  await expect.poll(() => processes.length).toBe(4)
  void workers.stop()
  expect(await acknowledge({ id: 'b' })).toBe(HERE)
})

test('refused requests of workers come with their bodies when they are asked for', async () => {
  const { workers, processes, refused } = await startedWorkers()
  const error = new HeadgateError('HG_INTAKE_MALFORMED', 'It is malformed.')
  const bytes = refusedBytes(400, error, '127.0.0.1')
  const collecting = workers.collectRefused()
  expect(processes.map(({ requests }) => kinds(requests))).toEqual([
    ['start', 'refused'],
    ['start', 'refused'],
  ])
  const { message, parts } = toRefusedMessage([bytes, { ...bytes, body: Buffer.from('{}'), bytes: 2 }])
  processes[0]?.say(message, parts)
  await collecting
  expect(refused.after(0).map(({ refused: { code, body } }) => [code, body?.toString()])).toEqual([
    ['HG_INTAKE_MALFORMED', '{}'],
    ['HG_INTAKE_MALFORMED', undefined],
  ])
})

test('workers that do not take events are reasons, each with its number, and the ledger is that of all of them', async () => {
  const { workers, processes } = await startedWorkers()
  const notReady = [{ pipeline: 'orders', part: 'sink.kafka', reason: 'Kafka is down.' }]
  processes[1]?.say({ kind: 'report', report: { counts: [], gauges: [], notReady } })
  expect(workers.reasons()).toEqual(['worker 2: orders: Kafka is down.'])
  const ledger = workers.ledgerOf('orders')
  expect(ledger.notReady('sink.kafka')).toEqual(['Kafka is down.'])
  for (const [at, { responds }] of processes.entries())
    responds.ledger = { result: [{ topic: 'inbox', partition: 1 - at, known: 0, acknowledged: 0 }] }
  expect((await ledger.partitions()).map(({ partition }) => partition)).toEqual([0, 1])
  expect(processes.map(({ requests }) => requests.at(-1))).toEqual(
    [1, 2].map(() => ({ kind: 'ledger', pipeline: 'orders', question: 'partitions' })),
  )
  processes[0]?.end()
  await expect.poll(() => workers.ledgerOf('orders').partitions()).toHaveLength(1)
})

test('events that ended in a worker, and its attempts, are shown to taps with the masks of the pipeline', async () => {
  const { processes, taps } = await startedWorkers()
  const offered: unknown[] = []
  taps.add({ offer: (event) => offered.push(event), attempted: (attempt) => offered.push(attempt) })
  const outcome = { kind: 'dropped', id: 'a' } as const
  processes[0]?.say({
    kind: 'completed',
    pipeline: 'orders',
    outcome,
    ...{ remoteAddress: undefined, times: [], at: 1, took: 2, rule: 'tests' },
  })
  const attempt = {
    pipeline: 'orders',
    stage: 'tell',
    id: 'a',
    outcome: 'acknowledged',
    at: 1,
    took: 2,
  } as const
  processes[0]?.say({ kind: 'attempt-made', attempt })
  expect(offered).toMatchObject([
    { pipeline: { name: 'orders', masks: [] }, outcome, rule: 'tests' },
    attempt,
  ])
})

test('a stop stops the workers, and none is replaced', async () => {
  const { workers, processes } = await startedWorkers()
  const left = { pipeline: 'orders', inFlight: 0, unacknowledged: 3 }
  for (const { responds } of processes) responds.stop = { unfinished: [left] }
  expect(await workers.stop()).toEqual([left, left])
  expect(processes.map(({ requests }) => kinds(requests))).toEqual([
    ['start', 'stop'],
    ['start', 'stop'],
  ])
})
