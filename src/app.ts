import { resolve } from 'node:path'
import { openAdmin } from './admin/admin.js'
import { createListener } from './http/listener.js'
import { buildPipeline, type Pipeline } from './pipeline/build.js'
import type { CheckedConfig } from './pipeline/config/read.js'
import { openStateDirectory } from './pipeline/ledger/state-directory.js'
import { type Left, notReady, startPipeline, stopPipeline } from './pipeline/lifecycle.js'
import { createMetrics, type MetricsRegistry } from './pipeline/metrics.js'
import type { Log } from './plugin.js'
import { redactor } from './redact.js'
import type { Settings } from './settings.js'

export interface App {
  /** URLs as they were bound: with port 0 this is where they are learned. */
  readonly intake: string
  readonly admin: string
  /**
   * Takes no more events, answers what is in flight and acknowledges what is durable, until `deadline` is aborted.
   * Returns what was left of each pipeline.
   */
  stop(): Promise<readonly Left[]>
}

export interface AppOptions {
  readonly settings: Settings
  readonly config: CheckedConfig
  /** Logs with these fields on every line. */
  log(fields: { readonly [name: string]: string }): Log
  /** Aborted when nobody waits any more: stages give up what is under way. */
  readonly deadline: AbortSignal
}

/** Builds the pipelines of a checked config and starts them. Rejects where one cannot ever work; then nothing runs. */
export async function startApp({ settings, config, log, deadline }: AppOptions): Promise<App> {
  const state = await openStateDirectory(resolve(settings.stateDir), log({ stage: 'ledger' }))
  const metrics = createMetrics()
  const responses = (pipeline: string) => countResponses(metrics, pipeline)
  const listener = createListener({
    host: settings.host,
    port: settings.port,
    maxConnections: settings.maxConnections,
    log: log({}),
    onResponse: responses('none'),
  })
  const surroundings = {
    metrics,
    log,
    http: (pipeline: string) => listener.bind(pipeline, responses(pipeline)),
    state: state.database,
    signal: deadline,
  }
  const pipelines = config.pipelines.map((pipeline) => buildPipeline(config, pipeline, surroundings))
  metrics.sampled(
    'config_revision_info',
    'The revision of the config that runs.',
    { revision: config.revision },
    () => 1,
  )

  const redact = redactor(config.secrets)
  let phase: 'starting' | 'running' | 'stopping' = 'starting'
  const admin = await openAdmin(settings.adminHost, settings.adminPort, {
    notReady: () => [
      ...(phase === 'running' ? [] : [`Headgate is ${phase}.`]),
      ...pipelines.flatMap(reasons).map(redact),
    ],
    metrics: async () => ({
      contentType: metrics.registry.contentType,
      text: await metrics.registry.metrics(),
    }),
    ledgers: () => Object.fromEntries(pipelines.map(({ name, ledger }) => [name, ledger.report()])),
    retryFailed: () => Object.fromEntries(pipelines.map(({ name, ledger }) => [name, ledger.retryFailed()])),
    details: () => ({ revision: config.revision, pipelines: pipelines.map(({ name }) => name) }),
  })
  const stop = async (): Promise<readonly Left[]> => {
    phase = 'stopping'
    // First of all, so that a sender that comes in between hears 503 and not that there is no such path.
    const closed = listener.close()
    const left = await Promise.all(pipelines.map((pipeline) => stopPipeline(pipeline, deadline)))
    if (deadline.aborted) listener.closeNow()
    else await closed
    await admin.close()
    await state.close()
    return left
  }
  try {
    await Promise.all(pipelines.map(startPipeline))
    const intake = await listener.open()
    phase = 'running'
    return { intake: intake.url, admin: admin.url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const reasons = (pipeline: Pipeline): string[] =>
  notReady(pipeline).map((reason) => `${pipeline.name}: ${reason}`)

/** Every status that the webhook answers is shown from the start; others when they first come up. */
const STATUSES = [200, 202, 400, 401, 404, 405, 408, 413, 415, 422, 431, 503]

function countResponses(metrics: MetricsRegistry, pipeline: string): (status: number) => void {
  const counter = (status: number) =>
    metrics.counter('http_responses_total', 'Answers to requests, by status.', {
      pipeline,
      code: String(status),
    })
  const counters = new Map(STATUSES.map((status) => [status, counter(status)]))
  return (status) => (counters.get(status) ?? counter(status)).inc()
}
