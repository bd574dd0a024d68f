import { HeadgateError } from '../../src/contract/errors.js'
import type { Request, Responded, ToWorker } from '../../src/workers/messages.js'
import type { Receive, StartWorker, WorkerEnd } from '../../src/workers/process.js'
import { deferred } from '../helpers/deferred.js'

/** A worker process that only keeps the requests and messages that it is sent. */
export interface FakeWorker {
  readonly slot: number
  readonly requests: Request[]
  readonly sent: ToWorker[]
  /** Requests of this kind fail from now on. */
  refuse: Request['kind'] | undefined
  /** With its responses to requests of this kind. */
  readonly responds: { [kind in Request['kind']]?: Responded }
  say(message: Parameters<Receive>[0], parts?: readonly Buffer[]): void
  /** Ends by itself. */
  end(how?: Partial<WorkerEnd>): void
}

/** Instead of processes; `workers` has all that were started, oldest first. `up`: they are up from then on. */
export function fakeWorkers(up: Promise<unknown> = Promise.resolve()): {
  readonly start: StartWorker
  readonly workers: FakeWorker[]
} {
  const workers: FakeWorker[] = []
  const start: StartWorker = (slot, receive) => {
    const { promise: ended, resolve } = deferred<WorkerEnd>()
    const end = (how: Partial<WorkerEnd> = {}) => resolve({ code: null, signal: 'SIGKILL', ...how })
    const worker: FakeWorker = {
      slot,
      requests: [],
      sent: [],
      refuse: undefined,
      responds: {},
      say: (message, parts = []) => receive(message, parts),
      end,
    }
    workers.push(worker)
    return {
      slot,
      pid: workers.length,
      startedAt: performance.now(),
      ended,
      async request(request) {
        worker.requests.push(request)
        if (request.kind === 'start') await up
        if (request.kind === worker.refuse) throw new HeadgateError('HG_WORKER_FAILED', `No ${request.kind}.`)
        if (request.kind === 'stop') end({ code: 0, signal: null })
        return {
          kind: 'response',
          number: 0,
          ...worker.responds[request.kind],
          ...(request.kind === 'start' && { url: 'http://127.0.0.1:8080' }),
        }
      },
      send: (message) => void worker.sent.push(message),
      sendLazily: (message) => void worker.sent.push(message),
      kill: () => end(),
    }
  }
  return { start, workers }
}
