import type { CheckedConfig } from '../config/read.js'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { Attempt } from '../contract/index.js'
import type { OffloadToWorkers } from '../pipeline/pipeline.js'
import type { BuiltStage } from '../pipeline/stage.js'
import type { WorkerProcess } from './process.js'
import {
  type AttemptedMessage,
  type AttemptMessage,
  fromAttemptedMessage,
  toAttemptedMessage,
} from './wire.js'

/** Attempts at acknowledging that workers make: when there is one, and what follows from it, is not theirs to say. */
export interface Attempts {
  readonly offloadToWorkers: OffloadToWorkers
  /** From now on workers run the pipelines of this config. */
  under(config: Pick<CheckedConfig, 'pipelines'>): void
  /** This worker runs the pipelines that run here. */
  up(worker: WorkerProcess): void
  ended(message: AttemptedMessage, worker: WorkerProcess): void
  /** The worker is gone: what it had under way has failed. */
  gone(worker: WorkerProcess): void
}

type UnderWay = Map<number, (attempt: Attempt) => void>

/** `ending`: aborted when workers are about to end. */
export function createAttempts(ending: AbortSignal): Attempts {
  const workers = new Map<WorkerProcess, UnderWay>()
  let names: ReadonlySet<string> = new Set()
  let last = 0

  /** Where the fewest are under way. */
  const next = (): readonly [WorkerProcess, UnderWay] | undefined => {
    let found: readonly [WorkerProcess, UnderWay] | undefined
    for (const each of workers) if (found === undefined || each[1].size < found[1].size) found = each
    return found
  }

  return {
    offloadToWorkers: (pipeline, stage, own) => ({
      acknowledge(committed) {
        const chosen = names.has(pipeline) && !ending.aborted ? next() : undefined
        // Rather here than not at all: no worker is up, they are about to end, or none has the pipeline.
        if (chosen === undefined) return own.acknowledge(committed)
        const [worker, underWay] = chosen
        const number = last++
        worker.sendLazily({ kind: 'attempt', number, pipeline, stage, committed })
        return new Promise((resolve) => underWay.set(number, resolve))
      },
    }),
    under({ pipelines }) {
      const inWorkers = pipelines.filter(({ source }) => !source.definition.single)
      names = new Set(inWorkers.map(({ name }) => name))
    },
    up: (worker) => void workers.set(worker, new Map()),
    ended(message, worker) {
      const underWay = workers.get(worker)
      underWay?.get(message.number)?.(fromAttemptedMessage(message))
      underWay?.delete(message.number)
    },
    gone(worker) {
      const underWay = workers.get(worker)
      workers.delete(worker)
      const message = `Worker ${worker.slot} ended before it was known what came of the acknowledgement.`
      const error = new HeadgateError('HG_WORKER_FAILED', message)
      for (const resolve of underWay?.values() ?? []) resolve({ kind: 'retry', error })
    },
  }
}

/** In a worker: makes one attempt, and sends its result with `respond`. Never throws. */
export async function makeAttempt(
  { plugin, instance }: Pick<BuiltStage<'post-commit'>, 'plugin' | 'instance'>,
  { number, committed }: AttemptMessage,
  respond: (message: AttemptedMessage) => void,
): Promise<void> {
  try {
    respond(toAttemptedMessage(number, await instance.acknowledge(committed), plugin))
  } catch (thrown) {
    const error = asHeadgateError(thrown, plugin)
    respond(toAttemptedMessage(number, { kind: 'retry', error }, plugin))
  }
}
