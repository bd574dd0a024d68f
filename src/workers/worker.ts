import type { Duplex } from 'node:stream'
import type { CheckedFiles, ReadResult } from '../config/read.js'
import { asHeadgateError } from '../contract/errors.js'
import type { Listener } from '../http/listener.js'
import { SerialQueue } from '../lib/async.js'
import { countResponses } from '../metrics/process.js'
import { ProcessMetrics } from '../metrics/registry.js'
import { toErrorText } from '../pipeline/decided-message.js'
import { setTargetState, type Unfinished } from '../pipeline/lifecycle.js'
import { readRecordKey } from '../pipeline/record-mac.js'
import { createShared } from '../pipeline/shared.js'
import type { TargetState } from '../pipeline/target-state.js'
import { createLog, Loggers, warningLogger } from '../process/logging.js'
import type { Settings } from '../process/settings.js'
import { type Certificates, openCertificates } from '../tls/certificates.js'
import { makeAttempt } from './attempts.js'
import { Channel } from './channel.js'
import { RemoteCommits } from './handover.js'
import { ledgerResult } from './ledger-results.js'
import type { Request, Responded, StartMessage, ToPrimary, ToWorker } from './messages.js'
import { createReporter } from './metrics.js'
import { toRefusedMessage } from './refused-message.js'
import { RemoteTap } from './remote-tap.js'
import { WorkerConfig } from './worker-config.js'
import { workerListener } from './worker-listener.js'

export interface WorkerOptions {
  /** To the primary process. */
  readonly stream: Duplex
  /** Reads a config from files that the primary process has checked. */
  read(settings: Settings, files: CheckedFiles): Promise<ReadResult>
  /** As of `Io`. */
  onWarning(listener: (warning: Error) => void): void
}

type ToPrimaryChannel = Channel<ToPrimary, ToWorker>

/** Serves the primary process. Resolves when that has ended, or has stopped this worker. */
export function runWorker({ stream, read, onWarning }: WorkerOptions): Promise<void> {
  const channel: ToPrimaryChannel = new Channel(stream)
  let worker: Worker | undefined
  const changes = new SerialQueue()

  const perform = async (request: Request): Promise<Responded> => {
    if (request.kind !== 'start') return (await worker?.perform(request)) ?? {}
    const { settings } = request
    const { log } = await createLog({
      level: settings.logLevel,
      format: 'json',
      terminal: false,
      write: (line) => channel.send({ kind: 'line', line }),
    })
    onWarning(warningLogger(log))
    const loggers = new Loggers(log.child({ worker: request.worker }))
    for (const [name, level] of request.levels) loggers.set(name, level)
    worker = await Worker.create(request, channel, loggers, (files) => read(settings, files))
    return worker.start(request.config)
  }
  const respond = async (number: number, request: Request): Promise<void> => {
    try {
      channel.send({ kind: 'response', number, ...(await perform(request)) })
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The worker')
      channel.send({ kind: 'response', number, error: toErrorText(error) })
    }
    if (request.kind === 'stop') await channel.close()
  }
  channel.onMessage((message) => {
    if (message.kind === 'request') {
      const { number, request } = message
      // One after the other, except for those that have no effect on the others, and a stop, which must not wait.
      if (AT_ONCE.has(request.kind)) void respond(number, request)
      else void changes.run(() => respond(number, request))
    } else if (message.kind === 'rollback') void changes.run(() => worker?.rollback())
    else worker?.take(message)
  })
  return new Promise((resolve) => channel.onClosed(resolve))
}

/** Not in turn with other requests. */
const AT_ONCE: ReadonlySet<Request['kind']> = new Set(['report', 'refused', 'ledger', 'stop'])

/** Milliseconds. At most the counts of this time are lost when a worker crashes. */
const REPORT_INTERVAL = 1000

/** The listener of a worker and its part of every pipeline. */
class Worker {
  readonly #channel: ToPrimaryChannel
  readonly #loggers: Loggers
  readonly #certificates: Certificates
  readonly #listener: Listener
  readonly #commits: RemoteCommits
  readonly #config: WorkerConfig
  readonly #sendReport: () => void
  /** By the names of pipelines. */
  readonly #targetStates = new Map<string, TargetState>()
  #stopTimers = (): void => {}
  readonly #tap: RemoteTap
  /** The shutdown waits until then. */
  readonly #deadline = new AbortController()

  static async create(
    start: StartMessage,
    channel: ToPrimaryChannel,
    loggers: Loggers,
    read: (files: CheckedFiles) => Promise<ReadResult>,
  ): Promise<Worker> {
    const metrics = new ProcessMetrics()
    const settings = { ...start.settings, adminTlsCert: '', adminTlsKey: '', adminTlsClientCa: '' }
    const certificates = await openCertificates({ settings, metrics, log: loggers.of })
    return new Worker(start, channel, loggers, read, metrics, certificates)
  }

  private constructor(
    { settings, workers, worker, watched }: StartMessage,
    channel: ToPrimaryChannel,
    loggers: Loggers,
    read: (files: CheckedFiles) => Promise<ReadResult>,
    metrics: ProcessMetrics,
    certificates: Certificates,
  ) {
    this.#channel = channel
    this.#loggers = loggers
    this.#certificates = certificates
    const listener = workerListener({ settings, workers }, metrics, certificates, loggers.of({}))
    this.#listener = listener
    this.#tap = new RemoteTap(channel, metrics)
    this.#tap.watch(watched)
    this.#commits = new RemoteCommits(channel.send, (pipeline) => this.#config.addressOf(pipeline))
    const { signal } = this.#deadline
    const shared = createShared({ metrics, log: loggers.of, signal })
    this.#config = new WorkerConfig({
      deps: {
        metrics,
        log: loggers.of,
        shared,
        taps: this.#tap.running,
        sharedBy: workers,
        worker,
        recordKey: readRecordKey(settings.recordKeyFile),
        http: (pipeline, lasting) => listener.bind(pipeline, countResponses(lasting, pipeline)),
        targetStates: { of: (pipeline) => this.#targetStates.get(pipeline) ?? 'RUNNING', keep() {} },
        isWatched: () => this.#tap.running.size > 0,
        commit: (pipeline, decided, context) => this.#commits.commit(pipeline, decided, context),
        signal,
      },
      read,
      onDrained: (generation) => channel.send({ kind: 'drained', generation }),
    })
    const report = createReporter({
      worker: String(worker),
      metrics,
      usage: () => listener.usage(),
      sharedGauges: shared.gauges,
      pipelines: () => this.#config.running(),
    })
    this.#sendReport = () => channel.send({ kind: 'report', report: report() })
  }

  /** Rejects if a stage can never work, or if the address is in use. */
  async start(config: StartMessage['config']): Promise<Responded> {
    this.#setTargetStates(config.targetStates)
    await this.#config.start(config)
    const url = await this.#open()
    const watches = this.#certificates.watch()
    const reporting = setInterval(this.#sendReport, REPORT_INTERVAL).unref()
    this.#stopTimers = () => {
      for (const watch of watches) watch.close()
      clearInterval(reporting)
    }
    // The primary process is ready only if the worker is.
    this.#sendReport()
    return { url }
  }

  async perform(request: Exclude<Request, StartMessage>): Promise<Responded> {
    switch (request.kind) {
      case 'prepare':
        this.#setTargetStates(request.config.targetStates)
        await this.#config.prepare(request)
        break
      case 'quiesce':
        await this.#config.quiesce()
        break
      case 'report':
        this.#sendReport()
        break
      case 'refused': {
        const { message, parts } = toRefusedMessage(this.#listener.refused.take())
        this.#channel.send(message, parts)
        break
      }
      case 'ledger': {
        const { pipeline, question } = request
        return { result: await ledgerResult(this.#config.find(pipeline), question) }
      }
      case 'stop':
        return { unfinished: await this.#stop() }
    }
    return {}
  }

  take(message: Exclude<ToWorker, { kind: 'request' | 'rollback' }>): void {
    switch (message.kind) {
      case 'outcome':
        this.#commits.settle(message)
        break
      case 'attempt': {
        const stage = this.#config.postCommit(message.pipeline, message.stage)
        void makeAttempt(stage, message, this.#channel.sendLazily)
        break
      }
      case 'commit':
        this.#config.commit()
        break
      case 'target-state':
        this.#setTargetState(message.pipeline, message.targetState)
        break
      case 'level':
        this.#loggers.set(message.name, message.level)
        break
      case 'watched':
        this.#tap.watch(message.watched)
        break
      case 'renew-certificates':
        void this.#certificates.renew()
        break
      case 'deadline':
        this.#deadline.abort()
        this.#listener.closeNow()
    }
  }

  rollback(): Promise<void> {
    return this.#config.rollback()
  }

  async #open(): Promise<string> {
    try {
      return (await this.#listener.open()).url
    } catch (error) {
      await this.#config.stop()
      throw error
    }
  }

  async #stop(): Promise<readonly Unfinished[]> {
    // The listener closes first: senders receive 503 then, not 404.
    const closed = this.#listener.close()
    const unfinished = await this.#config.stop()
    await closed
    this.#stopTimers()
    this.#sendReport()
    return unfinished
  }

  #setTargetStates(targetStates: StartMessage['config']['targetStates']): void {
    for (const [pipeline, state] of Object.entries(targetStates)) this.#targetStates.set(pipeline, state)
  }

  #setTargetState(name: string, targetState: TargetState): void {
    this.#targetStates.set(name, targetState)
    const pipeline = this.#config.find(name)
    if (pipeline !== undefined) setTargetState(pipeline, targetState)
  }
}
