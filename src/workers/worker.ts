import type { Contents } from '../config/files.js'
import type { ReadResult } from '../config/read.js'
import { Listener } from '../http/listener.js'
import { bytes } from '../lib/units.js'
import { countRefused, countResponses } from '../metrics/process.js'
import { ProcessMetrics } from '../metrics/registry.js'
import { setTargetState } from '../pipeline/lifecycle.js'
import { createShared } from '../pipeline/shared.js'
import { createLoggers } from '../process/log-levels.js'
import { createLog, warningLogger } from '../process/logging.js'
import { readRecordKey } from '../process/record-key.js'
import { openCertificates } from '../tls/certificates.js'
import { createHandingOver } from './handover.js'
import { makeAttempt } from './make-attempt.js'
import type { Request, StartMessage, ToPrimary, ToWorker } from './messages.js'
import { reporter } from './metrics.js'
import { shareOf } from './share.js'
import { createFrontConfig } from './worker-config.js'

export interface FrontSurroundings {
  send(message: ToPrimary, parts?: readonly Buffer[]): void
  /** The same for what nobody waits for. */
  sendSoon(message: ToPrimary): void
  read(contents: Contents): Promise<ReadResult>
  /** As of `Io`. */
  onWarning(listener: (warning: Error) => void): void
}

/** What runs in a worker: the listener, and the front of every pipeline. */
export interface Front {
  readonly url: string
  do(request: Exclude<Request, StartMessage>): Promise<void>
  take(message: Exclude<ToWorker, { kind: 'request' | 'abandon' }>): void
  abandon(): Promise<void>
}

/** Milliseconds. So much of what a worker has counted can be lost with it. */
const REPORT_EVERY = 1000

/** Starts the front. Rejects where a stage cannot ever work, or the address cannot be had. */
export async function startFront(
  message: StartMessage,
  { send, sendSoon, read, onWarning }: FrontSurroundings,
): Promise<Front> {
  const { settings, workers } = message
  const worker = String(message.worker)
  const { log } = await createLog({
    level: settings.logLevel,
    format: 'json',
    terminal: false,
    write: (line) => send({ kind: 'line', line }),
  })
  onWarning(warningLogger(log))
  const loggers = createLoggers(log.child({ worker: message.worker }))
  for (const [name, level] of message.levels) loggers.set(name, level)

  const metrics = new ProcessMetrics()
  const certificates = await openCertificates({
    settings: { ...settings, adminTlsCert: '', adminTlsKey: '', adminTlsClientCa: '' },
    metrics,
    log: loggers.of,
  })
  const listener = new Listener({
    host: settings.host,
    port: settings.port,
    maxConnections: shareOf(settings.maxConnections, workers),
    maxBodyMemory: shareOf(bytes(settings.maxBodyMemory), workers),
    onRefused: countRefused(metrics),
    secure: certificates.intake,
    log: loggers.of({}),
    onResponse: countResponses(metrics, 'none'),
    sharedBy: workers,
  })
  const signal = new AbortController().signal
  const targetStates = new Map(Object.entries(message.config.targetStates))
  const { handOver, ended } = createHandingOver(send, (pipeline) => config.addressOf(pipeline))
  const config = createFrontConfig({
    surroundings: {
      metrics,
      log: loggers.of,
      shared: createShared({ metrics, log: loggers.of, signal }),
      recordKey: readRecordKey(settings.recordKeyFile),
      http: (pipeline, lasting) => listener.bind(pipeline, countResponses(lasting, pipeline)),
      targetStates: { of: (pipeline) => targetStates.get(pipeline) ?? 'RUNNING', keep() {} },
      handOver,
      signal,
    },
    read,
    left: (generation) => send({ kind: 'left', generation }),
  })
  const report = reporter({ worker, metrics, usage: () => listener.usage(), pipelines: config.running })
  const sendReport = () => send({ kind: 'report', report: report() })

  await config.start(message.config)
  const { url } = await listener.open()
  const watch = certificates.watch()
  const reporting = setInterval(sendReport, REPORT_EVERY).unref()

  const stop = async (): Promise<void> => {
    // First of all, so that a sender that comes in between hears 503 and not that there is no such path.
    const closed = listener.close()
    await config.stop()
    await closed
    watch.close()
    clearInterval(reporting)
    sendReport()
  }
  return {
    url,
    abandon: config.abandon,
    async do(request) {
      switch (request.kind) {
        case 'prepare':
          for (const [pipeline, targetState] of Object.entries(request.config.targetStates))
            targetStates.set(pipeline, targetState)
          return config.prepare(request)
        case 'arm':
          return config.arm()
        case 'report':
          return sendReport()
        case 'stop':
          return stop()
      }
    },
    take(message) {
      switch (message.kind) {
        case 'outcome':
          return ended(message)
        case 'attempt':
          return void makeAttempt(config.postCommit(message.pipeline, message.stage), message, sendSoon)
        case 'commit':
          return config.commit()
        case 'target-state': {
          targetStates.set(message.pipeline, message.targetState)
          const pipeline = config.running().find(({ name }) => name === message.pipeline)
          if (pipeline !== undefined) setTargetState(pipeline, message.targetState)
          return
        }
        case 'level':
          return void loggers.set(message.name, message.level)
        case 'renew-certificates':
          return void certificates.renew()
      }
    },
  }
}
