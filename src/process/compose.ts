import { dirname } from 'node:path'
import type { AdminHost } from '../admin/admin.js'
import type { Route } from '../admin/routes.js'
import { TRAFFIC_METRICS } from '../admin/traffic.js'
import { adminView } from '../admin/view.js'
import { ConfigCheckProcess } from '../config/check-process.js'
import type { CheckedConfig, CheckedFiles, ReadResult } from '../config/read.js'
import type { AnyDefinition, MetricDeclaration } from '../contract/index.js'
import { DeadLetterProcesses } from '../dead-letters/process.js'
import { DryRunProcess } from '../dry-run/dry-run-process.js'
import { warnOfLeftAcks } from '../ledger/left-acks.js'
import { LedgerStore } from '../ledger/store.js'
import { bytes } from '../lib/units.js'
import { History } from '../metrics/history.js'
import { countResponses, showProcess } from '../metrics/process.js'
import { ProcessMetrics } from '../metrics/registry.js'
import { notReady, partsInSteps } from '../pipeline/lifecycle.js'
import { readRecordKey } from '../pipeline/record-mac.js'
import { Reloader } from '../pipeline/reload/reloader.js'
import { createShared } from '../pipeline/shared.js'
import { openTargetStates, type TargetStates } from '../pipeline/target-state.js'
import { Taps } from '../tap/tap.js'
import { type Certificates, openCertificates } from '../tls/certificates.js'
import { WorkerPool, type WorkerPoolOptions } from '../workers/pool.js'
import type { LoggerLevels, Loggers } from './logging.js'
import { Ports } from './ports.js'
import { redactor } from './redact.js'
import type { ListeningSockets } from './service-manager.js'
import type { Settings } from './settings.js'

export interface AppOptions {
  readonly settings: Settings
  readonly config: CheckedConfig
  /** Reads the config from files that another process has checked. */
  read(files: CheckedFiles): Promise<ReadResult>
  /** Called with the secrets of a config before it is used. */
  onSecrets(secrets: CheckedConfig['secrets']): void
  /** Called once, with the process that takes over from this one and waits for it to stop. */
  onTakeover(pid: number): void
  /** Sockets that the program which started this process has opened. */
  readonly sockets: ListeningSockets
  /** Absolute path of the config file. */
  readonly file: string
  readonly loggers: Loggers
  /** Writes a line from the log of a worker. */
  line(line: string): void
  /** The built-in plugins. */
  readonly plugins: readonly AnyDefinition[]
  /** Of Headgate. */
  readonly version: string
  /** Aborted at the end of the shutdown timeout: ends every wait. */
  readonly deadline: AbortSignal
}

export type Phase = 'starting' | 'running' | 'stopping'

/** The parts of a process, not yet started. */
export interface Composition {
  readonly certificates: Certificates
  readonly ports: Ports
  readonly workers: WorkerPool | undefined
  readonly reloader: Reloader
  readonly taps: Taps
  readonly deadLetters: DeadLetterProcesses
  readonly history: History
  readonly shown: AdminHost
  readonly routes: readonly Route[]
  /** Called when the pipelines have started. */
  warnOfLeftAcks(): void
}

/**
 * Opens the certificates and the state directory, and with HEADGATE_TAKEOVER both ports; builds everything else. `phase` returns
 * the current phase of the process.
 */
export async function compose(options: AppOptions, phase: () => Phase): Promise<Composition> {
  const { settings, config, deadline: signal } = options
  const log = options.loggers.of
  const metrics = new ProcessMetrics()
  const certificates = await openCertificates({ settings, metrics, log })
  const ports = await Ports.open({ ...options, metrics, certificates, log })
  const { listener, state } = ports
  const storedStates = openTargetStates(state.database)
  const workers = workersOf(options, { metrics, listener, taps: () => taps.running }, storedStates)
  const { targetStates, loggers } = broadcastChanges(storedStates, options.loggers, workers)
  const secrets = new Map(config.secrets)
  const opened = new Set<string>()
  const taps: Taps = new Taps({
    metrics,
    log: log({ listener: 'admin' }),
    secrets: () => secrets,
    onWatched: (watched) => workers?.broadcast({ kind: 'watched', watched }),
  })
  const checker = new ConfigCheckProcess(settings, dirname(options.file), () => reloader.config())
  const reloader: Reloader = new Reloader({
    config,
    deps: {
      metrics,
      log,
      http: (pipeline, lasting) => listener.bind(pipeline, countResponses(lasting, pipeline)),
      openStore(pipeline, limits) {
        opened.add(pipeline)
        return LedgerStore.open(state.database, pipeline, limits)
      },
      shared: createShared({ metrics, log, signal }),
      recordKey: readRecordKey(settings.recordKeyFile),
      targetStates,
      taps: taps.running,
      isWatched: () => taps.running.size > 0,
      ...(workers !== undefined && { offloadToWorkers: workers.offloadToWorkers }),
      signal,
    },
    workers,
    async read(signal) {
      const checked = await checker.disk(signal)
      return checked.ok ? options.read(checked.files) : checked
    },
    onSecrets(found) {
      for (const [value, shown] of found) secrets.set(value, shown)
      // Earlier secrets stay secret: another system may still use them.
      options.onSecrets(secrets)
    },
  })
  const dryRuns = new DryRunProcess(settings, dirname(options.file), () => reloader.config())
  const redact = (text: string): string => redactor(secrets)(text)
  const reasons = () => reasonsOf(phase(), reloader, workers).map(redact)
  showProcess(metrics, {
    ready: () => reasons().length === 0,
    usage: () => listener.usage(),
    maxConnections: settings.maxConnections,
    maxBodyMemory: bytes(settings.maxBodyMemory),
  })
  const deadLetters = new DeadLetterProcesses(settings, () => reloader.config())
  const history = new History(() => metrics.read([...TRAFFIC_METRICS, ...ruleMetrics(reloader.config())]))
  const { shown, routes } = adminView({
    ...options,
    ...{ history, metrics, reloader, certificates, taps, targetStates, loggers, checker, dryRuns, redact },
    deadLetters,
    log: log({ listener: 'admin' }),
    isStarted: () => phase() !== 'starting',
    notReady: reasons,
    reportWorkers: () => workers?.report(),
    refused: listener.refused,
    collectRefused: () => workers?.collectRefused(),
    secrets: () => secrets,
  })
  return {
    ...{ certificates, ports, workers, reloader, taps, deadLetters, history, shown, routes },
    warnOfLeftAcks: () =>
      warnOfLeftAcks(state.database, opened, (pipeline) => log({ pipeline, stage: 'ledger' })),
  }
}

/** Undefined if the process decides on all events itself. */
function workersOf(
  options: AppOptions,
  { metrics, listener, taps }: Pick<WorkerPoolOptions, 'metrics' | 'taps'> & Pick<Ports, 'listener'>,
  storedStates: TargetStates,
): WorkerPool | undefined {
  const { settings, loggers, deadline, line } = options
  if (settings.workers === 0) return undefined
  return new WorkerPool({
    settings,
    line,
    count: settings.workers,
    metrics,
    log: loggers.of({}),
    signal: deadline,
    targetStateOf: storedStates.of,
    taps,
    refused: listener.refused,
  })
}

/** The metrics of plugins that count by rule. */
function ruleMetrics({ pipelines }: CheckedConfig): readonly MetricDeclaration[] {
  const declared = pipelines.flatMap(({ transforms }) =>
    transforms.flatMap(({ definition }) => definition.metrics ?? []),
  )
  return [...new Set(declared)].filter(({ labels }) => 'rule' in labels)
}

/** The reasons why the process does not accept events, one sentence each. */
function reasonsOf(phase: Phase, reloader: Reloader, workers: WorkerPool | undefined): readonly string[] {
  const ofPipelines = reloader
    .running()
    .flatMap((pipeline) => notReady(partsInSteps(pipeline)).map((reason) => `${pipeline.name}: ${reason}`))
  const ofProcess = phase === 'running' ? [] : [`Headgate is ${phase}.`]
  return [...ofProcess, ...ofPipelines, ...(workers?.reasons() ?? [])]
}

/** Sends the changes of operators to the workers too. */
function broadcastChanges(
  targetStates: TargetStates,
  loggers: LoggerLevels,
  workers: WorkerPool | undefined,
): { readonly targetStates: TargetStates; readonly loggers: LoggerLevels } {
  return {
    targetStates: {
      of: targetStates.of,
      keep(pipeline, targetState) {
        targetStates.keep(pipeline, targetState)
        workers?.broadcast({ kind: 'target-state', pipeline, targetState })
      },
    },
    loggers: {
      levels: () => loggers.levels(),
      set(name, level) {
        workers?.broadcast({ kind: 'level', name, level })
        return loggers.set(name, level)
      },
    },
  }
}
