import { expect, test } from 'vitest'
import type { CheckedConfig } from '../../src/config/read.js'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Committed, PostCommit } from '../../src/contract/index.js'
import { createAttempts } from '../../src/workers/attempts.js'
import type { ToWorker } from '../../src/workers/messages.js'
import type { WorkerProcess } from '../../src/workers/process.js'

const configOf = (...pipelines: readonly { readonly name: string; readonly single?: boolean }[]) =>
  ({
    pipelines: pipelines.map(({ name, single = false }) => ({
      name,
      source: { definition: { single } },
      settings: {},
    })),
  }) as unknown as CheckedConfig

/** A post-commit stage of the pipeline "orders", and two workers that are up. */
function withWorkers() {
  const here: Committed[] = []
  const own: PostCommit = {
    async acknowledge(committed) {
      here.push(committed)
      return { kind: 'acknowledged' }
    },
  }
  const ending = new AbortController()
  const attempts = createAttempts(ending.signal)
  const { acknowledge } = attempts.offloadToWorkers('orders', 1, own)
  const workers = [1, 2].map((slot) => {
    const told: ToWorker[] = []
    const worker = { slot, sendLazily: (message: ToWorker) => told.push(message) } as unknown as WorkerProcess
    attempts.addWorker(worker)
    return { worker, told }
  }) as [Fake, Fake]
  attempts.setConfig(configOf({ name: 'orders' }))
  return { attempts, acknowledge, workers, here, ending, own }
}
interface Fake {
  readonly worker: WorkerProcess
  readonly told: ToWorker[]
}

test('an attempt goes to the worker with the fewest under way, and ends as that says', async () => {
  const { attempts, acknowledge, workers, here } = withWorkers()
  const [one, other] = workers
  const ends = ['a', 'b', 'c'].map((id) => acknowledge({ id }))
  expect([one.told.length, other.told.length]).toEqual([2, 1])
  expect(other.told).toEqual([
    { kind: 'attempt', number: 1, pipeline: 'orders', stage: 1, committed: { id: 'b' } },
  ])
  const error = { code: 'HG_ACK_RETRY', message: 'POST was answered 429.' } as const
  const failed = { kind: 'retry', error, after: 7, throttled: true } as const
  attempts.settle({ kind: 'attempted', number: 1, failed }, other.worker)
  expect(await ends[1]).toEqual({ ...failed, error: new HeadgateError(error.code, error.message) })
  void acknowledge({ id: 'd' })
  expect(other.told).toHaveLength(2)
  for (const number of [0, 2]) attempts.settle({ kind: 'attempted', number }, one.worker)
  expect(await Promise.all([ends[0], ends[2]])).toEqual([{ kind: 'acknowledged' }, { kind: 'acknowledged' }])
  expect(here).toEqual([])
})

test('attempts of a worker that is killed have failed and are retried, and the next one goes to another worker', async () => {
  const { attempts, acknowledge, workers } = withWorkers()
  const [one, other] = workers
  const ends = ['a', 'b', 'c'].map((id) => acknowledge({ id }))
  attempts.removeWorker(one.worker)
  const lost = { kind: 'retry', error: { code: 'HG_WORKER_FAILED' } }
  expect([await ends[0], await ends[2]]).toMatchObject([lost, lost])
  void acknowledge({ id: 'd' })
  expect(other.told).toHaveLength(2)
  // The result of an attempt that counts as failed comes too late.
  attempts.settle({ kind: 'attempted', number: 0 }, one.worker)
})

test.each([
  [
    'no worker is up',
    ({ attempts, workers }: Around) => {
      for (const { worker } of workers) attempts.removeWorker(worker)
    },
  ],
  ['workers are about to end', ({ ending }: Around) => ending.abort()],
  ['the pipeline was removed from the config', ({ attempts }: Around) => attempts.setConfig(configOf())],
  [
    'the source of the pipeline runs once, in the primary process',
    ({ attempts }: Around) => attempts.setConfig(configOf({ name: 'orders', single: true })),
  ],
])('where %s the primary process makes the attempt itself', async (_, change) => {
  const around = withWorkers()
  change(around)
  expect(await around.acknowledge({ id: 'a' })).toEqual({ kind: 'acknowledged' })
  expect(around.here).toEqual([{ id: 'a' }])
  expect(around.workers.flatMap(({ told }) => told)).toEqual([])
})

type Around = ReturnType<typeof withWorkers>
