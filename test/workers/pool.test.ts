import { expect, onTestFinished, test } from 'vitest'
import type { CheckedConfig } from '../../src/config/read.js'
import { type Attempt, metric as declare } from '../../src/contract/index.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { readSettings } from '../../src/process/settings.js'
import { createWorkers } from '../../src/workers/pool.js'
import { testContext } from '../helpers/context.js'
import { runningPipeline } from '../helpers/inline-pipeline.js'
import { fakeWorkers } from './fake-workers.js'

const configOf = (revision: string): CheckedConfig =>
  ({
    revision,
    contents: () => new Map([['/config.json', revision]]),
    pipelines: [{ name: 'orders', source: { definition: {} } }],
  }) as unknown as CheckedConfig

/** What comes of an attempt that the primary process makes itself. */
const HERE: Attempt = { kind: 'acknowledged' }

/** Two workers that are up, under a config of the revision "first". */
async function startedWorkers() {
  const { pipeline } = await runningPipeline()
  const { pipeline: other } = await runningPipeline()
  const { start, workers: processes } = fakeWorkers()
  const read = readSettings({}, {})
  if (!read.ok) throw new Error(read.problems.join())
  const { log, lines } = testContext()
  const metrics = new ProcessMetrics()
  const said: string[] = []
  const workers = createWorkers({
    count: 2,
    settings: read.settings,
    metrics,
    log,
    line: (line) => said.push(line),
    targetStateOf: () => 'PAUSED',
    signal: new AbortController().signal,
    start,
  })
  onTestFinished(workers.stop)
  await workers.start(configOf('first'), [pipeline])
  const next = { config: configOf('next'), pipelines: [other], anew: [] }
  const metric = async (name: string) =>
    Number(new RegExp(`^headgate_${name} (.*)$`, 'm').exec(await metrics.registry.metrics())?.[1])
  return { workers, processes, lines, said, metric, next, pipeline }
}

const kinds = (messages: readonly { readonly kind: string }[]) => messages.map(({ kind }) => kind)

test('each worker is started with the config as it was read, and with what operators want', async () => {
  const { processes } = await startedWorkers()
  expect(processes.map(({ asked }) => asked)).toMatchObject(
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

test('a worker that ends by itself is replaced under the config that runs, counted and logged', async () => {
  const { workers, processes, lines, metric, next } = await startedWorkers()
  await workers.prepare(next)
  await workers.arm()
  workers.commit()
  processes[0]?.end({ signal: 'SIGSEGV' })
  await expect.poll(() => processes.length).toBe(3)
  expect(processes[2]).toMatchObject({ place: 1, asked: [{ kind: 'start', config: { revision: 'next' } }] })
  await expect.poll(() => metric('workers')).toBe(2)
  expect(await metric('worker_restarts_total')).toBe(1)
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'error',
      fields: expect.objectContaining({ worker: 1, signal: 'SIGSEGV' }),
    }),
  )
})

test('where one worker cannot take a config, all are told to abandon it, and it is taken by none', async () => {
  const { workers, processes, next } = await startedWorkers()
  const [, second] = processes
  if (second !== undefined) second.refuse = 'prepare'
  await expect(workers.prepare(next)).rejects.toMatchObject({
    code: 'HG_WORKER_FAILED',
    message: 'No prepare.',
  })
  workers.abandon()
  expect(processes.map(({ told }) => kinds(told))).toEqual([['abandon'], ['abandon']])
  processes[0]?.end()
  await expect
    .poll(() => processes[2]?.asked)
    .toMatchObject([{ kind: 'start', config: { revision: 'first' } }])
})

test('a worker that comes while a config is being taken over is started once that is done, under the new one', async () => {
  const { workers, processes, next } = await startedWorkers()
  await workers.prepare(next)
  processes[0]?.end()
  await expect.poll(() => processes.length).toBe(3)
  await workers.arm()
  expect(processes[2]?.asked).toEqual([])
  workers.commit()
  await expect
    .poll(() => processes[2]?.asked)
    .toMatchObject([{ kind: 'start', config: { revision: 'next' } }])
})

test('the config before has been left when every worker says so, or is gone', async () => {
  const { workers, processes, next, pipeline } = await startedWorkers()
  await workers.prepare(next)
  await workers.arm()
  workers.commit()
  let over = false
  void workers.left(pipeline).then(() => {
    over = true
  })
  processes[0]?.say({ kind: 'left', generation: 1 })
  await new Promise((resolve) => setImmediate(resolve))
  expect(over).toBe(false)
  processes[1]?.end()
  await expect.poll(() => over).toBe(true)
})

test('what operators change is told to the workers that are there and to those that come', async () => {
  const { workers, processes } = await startedWorkers()
  workers.tell({ kind: 'level', name: 'orders', level: 'debug' })
  expect(processes.map(({ told }) => told)).toEqual(
    [1, 2].map(() => [{ kind: 'level', name: 'orders', level: 'debug' }]),
  )
  processes[0]?.end()
  await expect.poll(() => processes[2]?.asked).toMatchObject([{ levels: [['orders', 'debug']] }])
})

test('what a worker had counted stays counted when it is gone, and its gauges go with it', async () => {
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

test('a worker makes attempts from when it is up until it is gone, and one that is being started makes none', async () => {
  const { workers, processes } = await startedWorkers()
  const { acknowledge } = workers.throughWorkers('orders', 0, { acknowledge: async () => HERE })
  const attempts = () => processes.map(({ told }) => kinds(told).filter((kind) => kind === 'attempt').length)
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

test('where no worker is up, and once they are to stop, attempts are made here', async () => {
  const { workers, processes } = await startedWorkers()
  const { acknowledge } = workers.throughWorkers('orders', 0, { acknowledge: async () => HERE })
  const lost = acknowledge({ id: 'a' })
  for (const process of processes) process.end()
  expect(await lost).toMatchObject({ kind: 'retry' })
  expect(await acknowledge({ id: 'a' })).toBe(HERE)
  await expect.poll(() => processes.length).toBe(4)
  void workers.stop()
  expect(await acknowledge({ id: 'b' })).toBe(HERE)
})

test('a stop has the workers stop, and none is replaced', async () => {
  const { workers, processes } = await startedWorkers()
  await workers.stop()
  expect(processes.map(({ asked }) => kinds(asked))).toEqual([
    ['start', 'stop'],
    ['start', 'stop'],
  ])
})
