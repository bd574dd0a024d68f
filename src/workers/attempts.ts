import type { CheckedConfig } from '../config/read.js'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { Attempt } from '../contract/index.js'
import type { AttemptingStage, OffloadToWorkers } from '../pipeline/pipeline.js'
import { isWholeInWorkers } from '../pipeline/supervised.js'
import type { WorkerProcess } from './process.js'
import {
  type AttemptedMessage,
  type AttemptMessage,
  fromAttemptedMessage,
  toAttemptedMessage,
} from './wire.js'

/** Has workers make attempts at acknowledging. The primary process schedules them and acts on the results. */
export interface Attempts {
  readonly offloadToWorkers: OffloadToWorkers
  /** From now on, workers run the pipelines of this config. */
  setConfig(config: Pick<CheckedConfig, 'pipelines'>): void
  /** The worker runs the current pipelines. */
  addWorker(worker: WorkerProcess): void
  settle(message: AttemptedMessage, worker: WorkerProcess): void
  /** The worker has ended: its attempts under way have failed. */
  removeWorker(worker: WorkerProcess): void
}

type UnderWay = Map<number, (attempt: Attempt) => void>

/** `ending`: aborted when workers are about to end. */
export function createAttempts(ending: AbortSignal): Attempts {
  const workers = new Map<WorkerProcess, UnderWay>()
  let names: ReadonlySet<string> = new Set()
  let last = 0

  /** The worker with the fewest attempts under way. */
  const next = (): readonly [WorkerProcess, UnderWay] | undefined => {
    let found: readonly [WorkerProcess, UnderWay] | undefined
    for (const each of workers) if (found === undefined || each[1].size < found[1].size) found = each
    return found
  }

  return {
    offloadToWorkers: (pipeline, stage, own) => ({
      acknowledge(committed) {
        const chosen = names.has(pipeline) && !ending.aborted ? next() : undefined
        // No worker can make it: none is up, they are about to end, or none has the pipeline.
        if (chosen === undefined) return own.acknowledge(committed)
        const [worker, underWay] = chosen
        const number = last++
        worker.sendLazily({ kind: 'attempt', number, pipeline, stage, committed })
        return new Promise((resolve) => underWay.set(number, resolve))
      },
    }),
    setConfig({ pipelines }) {
      const decided = pipelines.filter(
        (pipeline) => !pipeline.source.definition.single && !isWholeInWorkers(pipeline),
      )
      names = new Set(decided.map(({ name }) => name))
    },
    addWorker: (worker) => void workers.set(worker, new Map()),
    settle(message, worker) {
      const underWay = workers.get(worker)
      underWay?.get(message.number)?.(fromAttemptedMessage(message))
      underWay?.delete(message.number)
    },
    removeWorker(worker) {
      const underWay = workers.get(worker)
      workers.delete(worker)
      const message = `Worker ${worker.slot} ended during an attempt at acknowledging, so the result is unknown.`
      const error = new HeadgateError('HG_WORKER_FAILED', message)
      for (const resolve of underWay?.values() ?? []) resolve({ kind: 'retry', error })
    },
  }
}

/** In a worker: makes one attempt, and sends its result with `respond`. Never throws. */
export async function makeAttempt(
  { plugin, instance, attempts }: Pick<AttemptingStage, 'plugin' | 'instance' | 'attempts'>,
  { number, committed }: AttemptMessage,
  respond: (message: AttemptedMessage) => void,
): Promise<void> {
  attempts.begin()
  try {
    respond(toAttemptedMessage(number, await instance.acknowledge(committed), plugin))
  } catch (thrown) {
    const error = asHeadgateError(thrown, plugin)
    respond(toAttemptedMessage(number, { kind: 'retry', error }, plugin))
  } finally {
    attempts.end()
  }
}
