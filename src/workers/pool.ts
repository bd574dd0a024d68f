import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { endsWithin, SerialQueue, untilAborted } from '../lib/async.js'
import type { Unfinished } from '../pipeline/lifecycle.js'
import type { OffloadToWorkers, PrimaryPipeline, WorkersLedger } from '../pipeline/pipeline.js'
import type { NextConfig, WorkersTransition } from '../pipeline/reload/transition.js'
import type { TargetState } from '../pipeline/target-state.js'
import type { Settings } from '../process/settings.js'
import { type Attempts, createAttempts } from './attempts.js'
import { freePort } from './free-port.js'
import { Generations } from './generations.js'
import type { Broadcast, ConfigMessage, Request, ToWorker } from './messages.js'
import { showWorkers } from './metrics.js'
import { ObservedWorkers } from './observed-workers.js'
import { type StartWorker, startWorker, superviseWorker, type WorkerProcess } from './process.js'
import { WorkerMessages, type WorkerMessagesOptions } from './worker-messages.js'

export interface WorkerPoolOptions
  extends Pick<WorkerMessagesOptions, 'metrics' | 'refused' | 'taps' | 'line'> {
  readonly count: number
  readonly settings: Settings
  readonly log: Log
  targetStateOf(pipeline: string): TargetState
  /** Aborted at the end of the shutdown timeout: workers are killed then. */
  readonly signal: AbortSignal
  /** Without it, real processes. */
  readonly start?: StartWorker
}

/** All in milliseconds. */
const START_TIMEOUT = 60_000
/** A worker gives a new pipeline 60 s until it takes events, and then has the reasons why it does not. */
const PREPARE_TIMEOUT = 70_000
const QUIESCE_TIMEOUT = 10_000
const REPORT_TIMEOUT = 1000
/** After the shutdown timeout, workers leave the groups of their inboxes: otherwise these wait until their sessions end. */
const LEAVE_TIMEOUT = 2000
/** The longest timer of Node.js: `signal` ends the wait. */
const NO_TIMEOUT = 2 ** 31 - 1

/** A config as the workers run it. */
interface Generation extends Pick<NextConfig, 'config' | 'pipelines'> {
  readonly message: ConfigMessage
}

/**
 * The workers of a process. They take events, decide them, send them to this process, and make attempts at acknowledging. A pipeline
 * with an inbox they have whole.
 */
export class WorkerPool implements WorkersTransition {
  readonly #options: WorkerPoolOptions
  readonly #startProcess: StartWorker
  readonly #generations = new Generations<WorkerProcess>()
  /** A worker starts under one config: a reload and the start of a worker wait for each other. */
  readonly #queue = new SerialQueue()
  /** Workers that take events, by slot. */
  readonly #running = new Map<number, WorkerProcess>()
  readonly #observed = new ObservedWorkers(() => this.#workers())
  /** These and the ones that are starting. */
  readonly #processes = new Set<WorkerProcess>()
  readonly #stopping = new AbortController()
  readonly #attempts: Attempts
  readonly #messages: WorkerMessages
  readonly #onRestart: () => void
  #watched = false
  #levels: readonly (readonly [name: string, level: string])[] = []
  #port: number
  #started = false
  #current: Generation | undefined
  #next: Generation | undefined
  #release = (): void => {}

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    this.#startProcess = options.start ?? startWorker
    this.#port = options.settings.port
    this.#attempts = createAttempts(this.#stopping.signal)
    this.#messages = new WorkerMessages({
      ...options,
      generations: this.#generations,
      attempts: this.#attempts,
      observed: this.#observed,
      pipelines: () => this.#current?.pipelines ?? [],
    })
    const { restarted } = showWorkers(options.metrics, options.count, () => this.#observed.reports())
    this.#onRestart = restarted
  }

  get offloadToWorkers(): OffloadToWorkers {
    return this.#attempts.offloadToWorkers
  }

  /** Starts the workers under the first config; resolves with the URL that they listen on. Rejects if one cannot start. */
  async start(config: CheckedConfig, pipelines: readonly PrimaryPipeline[]): Promise<string> {
    const { count, settings } = this.#options
    this.#attempts.setConfig(config)
    const current = this.#generationOf(config, pipelines)
    this.#port = await freePort(settings.host, settings.port)
    const slots = Array.from({ length: count }, (_, index) => index + 1)
    this.#current = current
    const workers = slots.map((slot) => this.#fork(slot))
    const release = await this.#queue.hold()
    try {
      // All at once: while Kafka is away, each takes seconds.
      const [url = ''] = await Promise.all(workers.map((worker) => this.#begin(worker)))
      this.#started = true
      for (const worker of workers) this.#supervise(worker)
      return url
    } finally {
      release()
    }
  }

  async prepare({ config, pipelines, restart }: NextConfig): Promise<void> {
    this.#release = await this.#queue.hold()
    this.#next = this.#generationOf(config, pipelines)
    await this.#requestAll({ kind: 'prepare', config: this.#next.message, restart }, PREPARE_TIMEOUT)
  }

  quiesce(): Promise<void> {
    return this.#requestAll({ kind: 'quiesce' }, QUIESCE_TIMEOUT)
  }

  commit(): void {
    if (this.#next === undefined || this.#current === undefined)
      throw new HeadgateError('HG_RELOAD_FAILED', 'The workers have no next config.')
    const before = this.#current.message.generation
    this.#current = this.#next
    this.#next = undefined
    this.#sendAll({ kind: 'commit' })
    this.#attempts.setConfig(this.#current.config)
    this.#generations.drain(before, this.#workers())
    this.#release()
  }

  rollback(): void {
    if (this.#next === undefined) return
    this.#generations.remove(this.#next.message.generation)
    this.#next = undefined
    this.#sendAll({ kind: 'rollback' })
    this.#release()
  }

  drained(pipeline: PrimaryPipeline): Promise<void> {
    return this.#generations.drained(pipeline)
  }

  get ledgerOf(): (pipeline: string) => WorkersLedger {
    return this.#observed.ledgerOf
  }

  /** The reasons why the workers do not take events, one sentence each. */
  reasons(): readonly string[] {
    const areGone = this.#started && this.#running.size === 0
    const reasons = this.#observed.reasons()
    return areGone ? ['No worker takes events; they are being replaced.', ...reasons] : reasons
  }

  /** Has the workers report their counts. Resolves when all have, or after a timeout. */
  report(): Promise<void> {
    return this.#requestAll({ kind: 'report' }, REPORT_TIMEOUT).catch(() => {})
  }

  /** Has the workers hand over their refused requests. Resolves when all have, or after a timeout. */
  collectRefused(): Promise<void> {
    return this.#requestAll({ kind: 'refused' }, REPORT_TIMEOUT).catch(() => {})
  }

  broadcast(message: Broadcast): void {
    if (message.kind === 'watched') this.#watched = message.watched
    if (message.kind === 'level') {
      this.#levels = [
        ...this.#levels.filter(([name]) => name !== message.name),
        [message.name, message.level],
      ]
    }
    this.#sendAll(message)
  }

  /**
   * Resolves once every worker has responded to its requests in flight, and has ended; with the work that their whole pipelines
   * left.
   */
  async stop(): Promise<readonly Unfinished[]> {
    const { signal } = this.#options
    this.#stopping.abort()
    const running = this.#workers()
    for (const worker of this.#processes) if (!running.includes(worker)) worker.kill()
    const stopped = running.map((worker) =>
      worker.request({ kind: 'stop' }, NO_TIMEOUT).catch(() => undefined),
    )
    const ended = Promise.all([...this.#processes].map((worker) => worker.ended))
    await untilAborted(ended, signal)
    if (signal.aborted) {
      this.#sendAll({ kind: 'deadline' })
      await endsWithin(ended, LEAVE_TIMEOUT)
    }
    for (const worker of this.#processes) worker.kill()
    await ended
    return (await Promise.all(stopped)).flatMap((response) => response?.unfinished ?? [])
  }

  /** Starts one process, which takes no events yet. */
  #fork(slot: number): WorkerProcess {
    const worker = this.#startProcess(slot, (message, parts) => this.#messages.take(message, parts, worker))
    this.#processes.add(worker)
    void worker.ended.then(() => {
      this.#processes.delete(worker)
      this.#attempts.removeWorker(worker)
    })
    return worker
  }

  /** Waits until it listens; resolves with its address. */
  async #begin(worker: WorkerProcess): Promise<string> {
    try {
      const response = await worker.request(this.#startRequest(worker.slot), START_TIMEOUT)
      if (response?.url === undefined)
        throw new HeadgateError('HG_WORKER_FAILED', `Worker ${worker.slot} has ended.`)
      this.#running.set(worker.slot, worker)
      this.#attempts.addWorker(worker)
      return response.url
    } catch (error) {
      worker.kill()
      await worker.ended
      throw error
    }
  }

  async #replace(slot: number): Promise<WorkerProcess> {
    const worker = this.#fork(slot)
    const release = await this.#queue.hold()
    try {
      await this.#begin(worker)
      return worker
    } finally {
      release()
    }
  }

  #startRequest(slot: number): Request {
    const { count, settings } = this.#options
    const { message, pipelines } = this.#current as Generation
    return {
      kind: 'start',
      worker: slot,
      workers: count,
      settings: { ...settings, port: this.#port },
      config: { ...message, targetStates: this.#targetStatesOf(pipelines) },
      levels: this.#levels,
      watched: this.#watched,
    }
  }

  #supervise(worker: WorkerProcess): void {
    void superviseWorker(worker, {
      start: (slot) => this.#replace(slot),
      onEnded: (ended) => {
        this.#running.delete(ended.slot)
        this.#generations.workerEnded(ended)
      },
      onCrashed: this.#onRestart,
      log: this.#options.log,
      stopping: this.#stopping.signal,
    })
  }

  #generationOf(config: CheckedConfig, pipelines: readonly PrimaryPipeline[]): Generation {
    const message: ConfigMessage = {
      generation: this.#generations.add(pipelines),
      revision: config.revision,
      contents: [...config.contents()],
      targetStates: this.#targetStatesOf(pipelines),
    }
    return { message, config, pipelines }
  }

  #targetStatesOf(pipelines: readonly PrimaryPipeline[]): ConfigMessage['targetStates'] {
    return Object.fromEntries(pipelines.map(({ name }) => [name, this.#options.targetStateOf(name)]))
  }

  /** Only running workers. One that ends meanwhile is no failure: its replacement starts under the current config. */
  async #requestAll(request: Request, timeout: number): Promise<void> {
    const responses = this.#workers().map((worker) => worker.request(request, timeout))
    const failed = (await Promise.allSettled(responses)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  #sendAll(message: ToWorker): void {
    for (const worker of this.#workers()) worker.send(message)
  }

  #workers(): WorkerProcess[] {
    return [...this.#running.values()]
  }
}
