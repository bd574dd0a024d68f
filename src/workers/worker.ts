import type { Duplex } from 'node:stream'
import type { CheckedFiles, ReadResult } from '../config/read.js'
import { asHeadgateError } from '../contract/errors.js'
import { Listener } from '../http/listener.js'
import { SerialQueue } from '../lib/async.js'
import { Networks } from '../lib/networks.js'
import { bytes } from '../lib/units.js'
import { countHttp2Faults, countRefused, countResponses } from '../metrics/process.js'
import { ProcessMetrics } from '../metrics/registry.js'
import { toErrorText } from '../pipeline/decided-message.js'
import { setTargetState } from '../pipeline/lifecycle.js'
import { readRecordKey } from '../pipeline/record-mac.js'
import { createShared } from '../pipeline/shared.js'
import type { TargetState } from '../pipeline/target-state.js'
import { createLog, Loggers, warningLogger } from '../process/logging.js'
import type { Settings } from '../process/settings.js'
import { type Certificates, openCertificates } from '../tls/certificates.js'
import { makeAttempt } from './attempts.js'
import { Channel } from './channel.js'
import { RemoteCommits } from './handover.js'
import { type Request, type StartMessage, shareOf, type ToPrimary, type ToWorker } from './messages.js'
import { createReporter } from './metrics.js'
import { toRefusedMessage } from './refused-message.js'
import { WorkerConfig } from './worker-config.js'

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

  const perform = async (request: Request): Promise<string | undefined> => {
    if (request.kind !== 'start') {
      await worker?.perform(request)
      return undefined
    }
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
      const url = await perform(request)
      channel.send({ kind: 'response', number, ...(url !== undefined && { url }) })
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The worker')
      channel.send({ kind: 'response', number, error: toErrorText(error) })
    }
    if (request.kind === 'stop') await channel.close()
  }
  channel.onMessage((message) => {
    if (message.kind === 'request') {
      const { number, request } = message
      // One after the other, except for reports, which have no effect on the others, and a stop, which must not wait.
      if (AT_ONCE.has(request.kind)) void respond(number, request)
      else void changes.run(() => respond(number, request))
    } else if (message.kind === 'rollback') void changes.run(() => worker?.rollback())
    else worker?.take(message)
  })
  return new Promise((resolve) => channel.onClosed(resolve))
}

/** Not in turn with other requests. */
const AT_ONCE: ReadonlySet<Request['kind']> = new Set(['report', 'refused', 'stop'])

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
  #watched: boolean

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
    this.#watched = watched
    this.#loggers = loggers
    this.#certificates = certificates
    const listener = new Listener({
      host: settings.host,
      port: settings.port,
      maxConnections: shareOf(settings.maxConnections, workers),
      maxBodyMemory: shareOf(bytes(settings.maxBodyMemory), workers),
      onRefused: countRefused(metrics),
      ...(settings.proxyProtocol !== '' && { proxies: new Networks(settings.proxyProtocol.split(',')) }),
      secure: certificates.intake,
      http2: settings.http2 === 'on',
      ...(certificates.intake && { onHttp2Fault: countHttp2Faults(metrics) }),
      log: loggers.of({}),
      onResponse: countResponses(metrics, 'none'),
      sharedBy: workers,
    })
    this.#listener = listener
    this.#commits = new RemoteCommits(channel.send, (pipeline) => this.#config.addressOf(pipeline))
    const { signal } = new AbortController()
    this.#config = new WorkerConfig({
      deps: {
        metrics,
        log: loggers.of,
        shared: createShared({ metrics, log: loggers.of, signal }),
        recordKey: readRecordKey(settings.recordKeyFile),
        http: (pipeline, lasting) => listener.bind(pipeline, countResponses(lasting, pipeline)),
        targetStates: { of: (pipeline) => this.#targetStates.get(pipeline) ?? 'RUNNING', keep() {} },
        isWatched: () => this.#watched,
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
      pipelines: () => this.#config.running(),
    })
    this.#sendReport = () => channel.send({ kind: 'report', report: report() })
  }

  /** Resolves with the URL that it listens on. Rejects if a stage can never work, or if the address is in use. */
  async start(config: StartMessage['config']): Promise<string> {
    this.#setTargetStates(config.targetStates)
    await this.#config.start(config)
    const { url } = await this.#listener.open()
    const watches = this.#certificates.watch()
    const reporting = setInterval(this.#sendReport, REPORT_INTERVAL).unref()
    this.#stopTimers = () => {
      for (const watch of watches) watch.close()
      clearInterval(reporting)
    }
    return url
  }

  async perform(request: Exclude<Request, StartMessage>): Promise<void> {
    switch (request.kind) {
      case 'prepare':
        this.#setTargetStates(request.config.targetStates)
        return this.#config.prepare(request)
      case 'quiesce':
        return this.#config.quiesce()
      case 'report':
        return this.#sendReport()
      case 'refused': {
        const { message, parts } = toRefusedMessage(this.#listener.refused.take())
        this.#channel.send(message, parts)
        return
      }
      case 'stop':
        return this.#stop()
    }
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
        this.#watched = message.watched
        break
      case 'renew-certificates':
        void this.#certificates.renew()
    }
  }

  rollback(): Promise<void> {
    return this.#config.rollback()
  }

  async #stop(): Promise<void> {
    // The listener closes first: senders receive 503 then, not 404.
    const closed = this.#listener.close()
    await this.#config.stop()
    await closed
    this.#stopTimers()
    this.#sendReport()
  }

  #setTargetStates(targetStates: StartMessage['config']['targetStates']): void {
    for (const [pipeline, state] of Object.entries(targetStates)) this.#targetStates.set(pipeline, state)
  }

  #setTargetState(name: string, targetState: TargetState): void {
    this.#targetStates.set(name, targetState)
    const pipeline = this.#config.running().find((running) => running.name === name)
    if (pipeline !== undefined) setTargetState(pipeline, targetState)
  }
}
