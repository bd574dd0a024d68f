import { hostname } from 'node:os'
import type { ConfigChecker } from '../config/check-process.js'
import type { AnyDefinition, Log } from '../contract/index.js'
import type { DeadLetterProcesses } from '../dead-letters/process.js'
import type { DryRunProcess } from '../dry-run/dry-run-process.js'
import type { RefusedRequests } from '../http/refused.js'
import { withoutSecrets } from '../ledger/report.js'
import type { History } from '../metrics/history.js'
import type { ProcessMetrics } from '../metrics/registry.js'
import type { PrimaryPipeline } from '../pipeline/pipeline.js'
import type { Reloader } from '../pipeline/reload/reloader.js'
import type { TargetStates } from '../pipeline/target-state.js'
import type { LoggerLevels } from '../process/logging.js'
import { builtFile } from '../process/package.js'
import type { Settings } from '../process/settings.js'
import type { Taps } from '../tap/tap.js'
import type { Certificates } from '../tls/certificates.js'
import { acknowledgementRoutes } from './acknowledgements.js'
import type { AdminHost } from './admin.js'
import type { LedgerStatus } from './api.js'
import { ConfigFile } from './config/config-file.js'
import { configRoutes } from './config/config-routes.js'
import { connectRoutes } from './connect/index.js'
import { consoleRoutes } from './console.js'
import { consoleDataRoutes } from './console-data.js'
import { deadLetterRoutes } from './dead-letters.js'
import { instancesRoutes } from './instances.js'
import { refusedRoutes } from './refused.js'
import { reloadResponse, reloadState } from './reload.js'
import type { Route } from './routes.js'
import { tapRoutes } from './tap.js'
import { tryRoutes } from './try.js'

export interface AdminViewOptions {
  readonly settings: Settings
  /** Absolute path of the config file. */
  readonly file: string
  readonly plugins: readonly AnyDefinition[]
  readonly version: string
  readonly metrics: ProcessMetrics
  readonly log: Log
  readonly history: History
  readonly reloader: Reloader
  readonly certificates: Certificates
  readonly taps: Taps
  readonly refused: RefusedRequests
  /** Has the workers hand over their refused requests. */
  collectRefused(): Promise<void> | undefined
  readonly deadLetters: DeadLetterProcesses
  secrets(): ReadonlyMap<string, string>
  readonly targetStates: TargetStates
  readonly loggers: LoggerLevels
  readonly checker: ConfigChecker
  readonly dryRuns: DryRunProcess
  /** False until the pipelines have been started. */
  isStarted(): boolean
  notReady(): readonly string[]
  /** Has the workers report their counts, so that a scrape shows them. */
  reportWorkers(): Promise<void> | undefined
  redact(text: string): string
}

/** The admin API of a running process: the data of the built-in routes, and the additional routes. */
export function adminView(options: AdminViewOptions): {
  readonly shown: AdminHost
  readonly routes: readonly Route[]
} {
  const { settings, metrics, reloader, certificates, taps, redact } = options
  const pipelines = () => reloader.running()
  const config = () => reloader.config()
  const { configWritable: writable } = settings
  const configFile = new ConfigFile({ ...options, writable })
  const connect = connectRoutes({
    ...options,
    worker: `${hostname()}:${settings.adminPort}`,
    configFile,
    started: options.isStarted,
  })
  const shown: AdminHost = {
    notReady: options.notReady,
    async metrics() {
      await options.reportWorkers()
      return { contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }
    },
    async ledgers() {
      const reports = pipelines().map(async ({ name, ledger }) => [name, await ledgerStatus(ledger, redact)])
      return Object.fromEntries(await Promise.all(reports))
    },
    async retryFailed() {
      const counts = pipelines().map(async ({ name, ledger }) => [name, await ledger.retryFailed()])
      return Object.fromEntries(await Promise.all(counts))
    },
    details: () => ({
      revision: config().revision,
      pipelines: pipelines().map(({ name }) => name),
      ...pausedPipelines(reloader),
      ...reloadState(reloader.refused(), redact),
      ...certificates.details(),
    }),
    reload: async () => reloadResponse(await reloader.reload('api'), redact),
  }
  const data = consoleDataRoutes({ ...options, config, running: pipelines, writable })
  const refused = refusedRoutes({ ...options, config, collect: options.collectRefused })
  const tries = tryRoutes({ ...options, running: pipelines, writable })
  const acknowledgements = acknowledgementRoutes({ ...options, config, running: pipelines })
  const instances = instancesRoutes({ running: pipelines, redact })
  const letters = deadLetterRoutes({ ...options, config, processes: options.deadLetters })
  const editing = configRoutes({ ...options, configFile })
  const page = consoleRoutes(builtFile('console'))
  const tapped = tapRoutes(taps, config, redact, options.dryRuns)
  return {
    shown,
    routes: [
      ...connect,
      ...tapped,
      ...refused,
      ...letters,
      ...acknowledgements,
      ...instances,
      ...data,
      ...tries,
      ...editing,
      ...page,
    ],
  }
}

async function ledgerStatus(
  ledger: Pick<PrimaryPipeline['ledger'], 'report' | 'instances'>,
  redact: (text: string) => string,
): Promise<LedgerStatus> {
  const [report, instances] = await Promise.all([ledger.report(), ledger.instances().catch(() => undefined)])
  return {
    ...withoutSecrets(report, redact),
    ...(instances?.kind === 'shared' && { inbox: instances.partitions }),
  }
}

/** For /ready: a paused pipeline is not a failure, so the process stays in the load balancer. */
function pausedPipelines(reloader: Reloader): { readonly paused?: readonly string[] } {
  const paused = reloader.running().filter(({ runtime }) => runtime.targetState !== 'RUNNING')
  return paused.length === 0 ? {} : { paused: paused.map(({ name }) => name) }
}
