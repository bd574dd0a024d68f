import { HeadgateError } from '../../src/contract/errors.js'
import type { Request, ToPrimary, ToWorker } from '../../src/workers/messages.js'
import type { StartWorker, WorkerEnd } from '../../src/workers/process.js'
import { deferred } from '../helpers/deferred.js'

/** A worker process that only notes what it is asked and told. */
export interface FakeWorker {
  readonly place: number
  readonly asked: Request[]
  readonly told: ToWorker[]
  /** What it refuses to do from now on. */
  refuse: Request['kind'] | undefined
  say(message: Exclude<ToPrimary, { kind: 'answer' }>): void
  /** Ends by itself. */
  end(how?: Partial<WorkerEnd>): void
}

/** In place of processes; `workers` has all that were started, oldest first. */
export function fakeWorkers(): { readonly start: StartWorker; readonly workers: FakeWorker[] } {
  const workers: FakeWorker[] = []
  const start: StartWorker = (place, take) => {
    const { promise: ended, resolve } = deferred<WorkerEnd>()
    const end = (how: Partial<WorkerEnd> = {}) => resolve({ code: null, signal: 'SIGKILL', ...how })
    const worker: FakeWorker = {
      place,
      asked: [],
      told: [],
      refuse: undefined,
      say: (message) => take(message, []),
      end,
    }
    workers.push(worker)
    return {
      place,
      pid: workers.length,
      startedAt: performance.now(),
      ended,
      async ask(request) {
        worker.asked.push(request)
        if (request.kind === worker.refuse) throw new HeadgateError('HG_WORKER_FAILED', `No ${request.kind}.`)
        if (request.kind === 'stop') end({ code: 0, signal: null })
        return {
          kind: 'answer',
          number: 0,
          ...(request.kind === 'start' && { url: 'http://127.0.0.1:8080' }),
        }
      },
      tell: (message) => void worker.told.push(message),
      tellSoon: (message) => void worker.told.push(message),
      kill: () => end(),
    }
  }
  return { start, workers }
}
