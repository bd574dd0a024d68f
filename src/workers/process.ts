import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { backoffDelay, sleep } from '../lib/async.js'
import { fromErrorText } from '../pipeline/decided-message.js'
import { CHANNEL_FD, Channel } from './channel.js'
import type { Request, Response, ToPrimary, ToWorker } from './messages.js'

/** How a process ended. */
export interface WorkerEnd {
  readonly code: number | null
  readonly signal: string | null
}

/** In the primary process: a worker. */
export interface WorkerProcess {
  /** From 1 on; its replacement has the same. */
  readonly slot: number
  readonly pid: number | undefined
  /** On the clock of `performance.now`. */
  readonly startedAt: number
  /** Resolves when it has ended and every message from it has been handled. */
  readonly ended: Promise<WorkerEnd>
  /**
   * Resolves with the response, or with undefined if the worker ends first. Rejects with the worker's error, and with
   * HG_WORKER_FAILED if it has not responded within `timeout` milliseconds.
   */
  request(request: Request, timeout: number): Promise<Response | undefined>
  /** Bound: can be passed as a function. */
  readonly send: (message: ToWorker) => void
  /** Low priority: as `Channel.sendLazily`. */
  sendLazily(message: ToWorker): void
  kill(): void
}

/** Every message of a worker but responses, which `request` returns. */
export type Receive = (message: Exclude<ToPrimary, Response>, parts: readonly Buffer[]) => void

export type StartWorker = (slot: number, receive: Receive) => WorkerProcess

/** Starts a worker, which is idle until the first request. No other process can reach its socketpair. */
export const startWorker: StartWorker = (slot, receive) => {
  cluster.setupPrimary({
    // The running command, wherever the build has put this module.
    exec: process.argv[1] as string,
    args: ['worker'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
  })
  return new ForkedWorker(slot, cluster.fork(), receive)
}

interface PendingRequest {
  resolve(response: Response): void
  reject(error: HeadgateError): void
}

class ForkedWorker implements WorkerProcess {
  readonly slot: number
  readonly pid: number | undefined
  readonly startedAt = performance.now()
  readonly ended: Promise<WorkerEnd>
  readonly send: WorkerProcess['send']
  readonly #child: Worker['process']
  readonly #channel: Channel<ToWorker, ToPrimary>
  readonly #closed: Promise<void>
  readonly #pending = new Map<number, PendingRequest>()
  #requests = 0

  constructor(slot: number, worker: Worker, receive: Receive) {
    // After an error, such as a failed start, the worker ends, which `ended` reports.
    worker.on('error', () => {})
    const child = worker.process
    this.slot = slot
    this.pid = child.pid
    this.#child = child
    this.#channel = new Channel(child.stdio[CHANNEL_FD] as unknown as Duplex)
    this.send = (message) => this.#channel.send(message)
    this.#channel.onMessage((message, parts) => {
      if (message.kind === 'response') this.#respond(message)
      else receive(message, parts)
    })
    this.#closed = new Promise((resolve) => this.#channel.onClosed(resolve))
    const exited = once(child, 'exit').then(
      ([code, signal]): WorkerEnd => ({ code, signal }),
      // The process did not start; its channel closes all the same.
      (): WorkerEnd => ({ code: null, signal: null }),
    )
    this.ended = Promise.all([exited, this.#closed]).then(([end]) => end)
  }

  async request(request: Request, timeout: number): Promise<Response | undefined> {
    const number = this.#requests++
    const late = new HeadgateError(
      'HG_WORKER_FAILED',
      `Worker ${this.slot} did not respond to "${request.kind}" within ${timeout / 1000} s.`,
    )
    const response = new Promise<Response>((resolve, reject) =>
      this.#pending.set(number, { resolve, reject }),
    )
    const timer = setTimeout(() => this.#pending.get(number)?.reject(late), timeout)
    this.#channel.send({ kind: 'request', number, request })
    try {
      return await Promise.race([response, this.#closed.then(() => undefined)])
    } finally {
      clearTimeout(timer)
      this.#pending.delete(number)
    }
  }

  #respond(response: Response): void {
    const pending = this.#pending.get(response.number)
    if (response.error !== undefined) pending?.reject(fromErrorText(response.error))
    else pending?.resolve(response)
  }

  sendLazily(message: ToWorker): void {
    this.#channel.sendLazily(message)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Milliseconds. */
const BACKOFF = { initial: 100, max: 30_000 }
/** Milliseconds. A worker that ran this long did not crash at startup: the backoff starts again. */
const STABLE = 60_000

/** The delays before the workers of a slot are replaced. */
export class RestartBackoff {
  #crashes = 0

  /** The delay, in milliseconds, before the replacement of a worker that ran for `lifetime`. */
  delay(lifetime: number): number {
    if (lifetime < STABLE) return backoffDelay(BACKOFF, this.#crashes++)
    this.#crashes = 0
    return 0
  }
}

export interface SupervisionOptions {
  /** Starts a worker in this slot. Rejects if the start fails. */
  start(slot: number): Promise<WorkerProcess>
  onEnded(worker: WorkerProcess): void
  /** Called after `onEnded` if the worker was not asked to stop. */
  onCrashed(): void
  readonly log: Log
  /** Aborted when the workers are asked to stop. */
  readonly stopping: AbortSignal
}

/** Replaces a worker that ends unexpectedly, and each replacement too, until `stopping` is aborted. */
export async function superviseWorker(first: WorkerProcess, options: SupervisionOptions): Promise<void> {
  const { log, stopping } = options
  const backoff = new RestartBackoff()
  for (let worker = first; ; ) {
    const end = await worker.ended
    options.onEnded(worker)
    if (stopping.aborted) return
    options.onCrashed()
    const delay = backoff.delay(performance.now() - worker.startedAt)
    log.error(
      { event: 'worker-ended', worker: worker.slot, pid: worker.pid, ...end, pause: delay },
      'a worker has ended unexpectedly and is being replaced; senders deliver its open events again',
    )
    let replacement = await replaceWorker(worker.slot, delay, options)
    while (replacement === undefined && !stopping.aborted) {
      replacement = await replaceWorker(worker.slot, backoff.delay(0), options)
    }
    if (replacement === undefined) return
    worker = replacement
  }
}

async function replaceWorker(
  slot: number,
  delay: number,
  { start, log, stopping }: SupervisionOptions,
): Promise<WorkerProcess | undefined> {
  await sleep(delay, stopping)
  if (stopping.aborted) return undefined
  try {
    const worker = await start(slot)
    log.info({ event: 'worker-started', worker: slot, pid: worker.pid }, 'a worker has been replaced')
    return worker
  } catch (thrown) {
    const { code, message } = asHeadgateError(thrown, 'Starting a worker')
    if (!stopping.aborted) log.error({ code, worker: slot }, `a worker could not be replaced: ${message}`)
    return undefined
  }
}
