import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { generateToken, tokenFileOf } from './admin/access.js'
import { type Admin, openAdmin, openStartingAdmin, type StartingAdmin } from './admin/admin.js'
import { questionsInProcess } from './admin/connect/config-checker.js'
import { connectRoutes } from './admin/connect/index.js'
import { reloadAnswer, reloadState } from './admin/reload.js'
import { tapRoutes } from './admin/tap.js'
import type { CheckedConfig, ReadResult } from './config/read.js'
import { HeadgateError } from './contract/errors.js'
import type { AnyDefinition } from './contract/index.js'
import { requireUnused } from './http/listen.js'
import { type Address, Listener } from './http/listener.js'
import { withoutSecrets } from './ledger/report.js'
import { isStateInUse, openStateDirectory } from './ledger/state-directory.js'
import { endsWithin, untilAborted } from './lib/async.js'
import { bytes, milliseconds } from './lib/units.js'
import { type FileWatch, watchFiles } from './lib/watch-files.js'
import { countRefused, countResponses, showProcess } from './metrics/process.js'
import { ProcessMetrics } from './metrics/registry.js'
import { type Left, notReady } from './pipeline/lifecycle.js'
import type { Pipeline } from './pipeline/pipeline.js'
import { createReloader, type Why } from './pipeline/reload/reloader.js'
import { createShared } from './pipeline/shared.js'
import { openTargetStates } from './pipeline/target-state.js'
import type { Loggers } from './process/log-levels.js'
import { readRecordKey } from './process/record-key.js'
import { redactor } from './process/redact.js'
import type { ListeningSockets } from './process/service-manager.js'
import type { Settings } from './process/settings.js'
import { releaseWhenReady, takeOverState } from './process/takeover.js'
import { createTaps } from './tap/tap.js'
import { openCertificates } from './tls/certificates.js'
import { toldToWorkers } from './told-to-workers.js'
import { createWorkers } from './workers/pool.js'
import { shareOf } from './workers/share.js'

export interface App {
  /** URLs as they were bound: with port 0 this is where they are learned. */
  readonly intake: string
  readonly admin: string
  /** Makes what the config file says now what runs, as far as it can. */
  reload(why: Why): void
  /**
   * Takes no more events, answers what is in flight and acknowledges what is durable, until `deadline` is aborted.
   * Returns what was left of each pipeline. `isTakenOver`: another process listens already, and acknowledges the rest.
   */
  stop(isTakenOver?: boolean): Promise<readonly Left[]>
}

export interface AppOptions {
  readonly settings: Settings
  readonly config: CheckedConfig
  /** Reads and checks the config as it is now, or as it would be with this text. */
  read(text?: string): Promise<ReadResult>
  /** Told of the secrets of a config before anything is made of it. */
  onSecrets(secrets: CheckedConfig['secrets']): void
  /** Called once, with the process that takes over from this one and waits for it to stop. */
  onTakeover(pid: number): void
  /** Ports that whoever started the process has opened already. */
  readonly sockets: ListeningSockets
  /** Absolute path of the config file. */
  readonly file: string
  readonly loggers: Loggers
  /** Writes a line that a worker has logged. */
  line(line: string): void
  /** The built-in ones, for those who ask what there is. */
  readonly plugins: readonly AnyDefinition[]
  /** Of Headgate. */
  readonly version: string
  /** Aborted when nobody waits any more: stages give up what is under way. */
  readonly deadline: AbortSignal
}

/** Builds the pipelines of a checked config and starts them. Rejects where one cannot ever work; then nothing runs. */
export async function startApp(options: AppOptions): Promise<App> {
  const { settings, config, deadline } = options
  const log = options.loggers.of
  if (settings.workers > 0 && options.sockets.intake !== undefined) {
    // node:cluster closes a passed socket with the last worker that uses it, and it cannot be opened again.
    throw new HeadgateError(
      'HG_LISTEN_FAILED',
      'HEADGATE_WORKERS and a socket that was passed for the intake do not go together; use one of them.',
    )
  }
  if (settings.takeover && (options.sockets.intake ?? options.sockets.admin) !== undefined) {
    throw new HeadgateError(
      'HG_LISTEN_FAILED',
      'HEADGATE_TAKEOVER and a socket that was passed to the process do not go together: a passed socket stays open over a restart by itself. Use one of them.',
    )
  }
  const metrics = new ProcessMetrics()
  const certificates = await openCertificates({ settings, metrics, log })
  // With workers it is they that listen, and this one only says what they may serve.
  const { workers: count } = settings
  const listener = new Listener({
    host: settings.host,
    port: settings.port,
    descriptor: options.sockets.intake,
    reusePort: settings.takeover,
    holds: settings.takeover,
    maxConnections: settings.maxConnections,
    maxBodyMemory: shareOf(bytes(settings.maxBodyMemory), count),
    ...(count > 0 && { sharedBy: count }),
    onRefused: countRefused(metrics),
    secure: certificates.intake,
    log: log({}),
    onResponse: countResponses(metrics, 'none'),
  })
  const { adminHost, adminPort, adminOpen } = settings
  const access = {
    host: adminHost,
    port: adminPort,
    descriptor: options.sockets.admin,
    reusePort: settings.takeover,
    tokenFile: tokenFileOf(settings),
    open: adminOpen === 'none' ? [] : adminOpen.split(',').map((name) => `/${name}`),
    log: log({ listener: 'admin' }),
    secure: certificates.admin,
  }
  const recordKey = readRecordKey(settings.recordKeyFile)
  const directory = resolve(settings.stateDir)
  const early = settings.takeover ? await openEarly() : undefined
  const state =
    early === undefined ? await openStateDirectory(directory, log({ stage: 'ledger' })) : early.state
  const kept = openTargetStates(state.database)
  const workers =
    count === 0
      ? undefined
      : createWorkers({
          count,
          settings,
          metrics,
          log: log({}),
          line: options.line,
          targetStateOf: kept.of,
          signal: deadline,
        })
  const { targetStates, loggers } = toldToWorkers(kept, options.loggers, workers)
  const secrets = new Map(config.secrets)
  const taps = createTaps({ metrics, log: log({ listener: 'admin' }), secrets: () => secrets })
  const reloader = createReloader({
    config,
    surroundings: {
      metrics,
      log,
      http: (pipeline, lasting) => listener.bind(pipeline, countResponses(lasting, pipeline)),
      state: state.database,
      shared: createShared({ metrics, log, signal: deadline }),
      recordKey,
      targetStates,
      taps: taps.running,
      ...(workers !== undefined && { throughWorkers: workers.throughWorkers }),
      signal: deadline,
    },
    fronts: workers,
    read: () => options.read(),
    onSecrets(found) {
      for (const [value, shown] of found) secrets.set(value, shown)
      // What was secret stays so: it may still be in use elsewhere.
      options.onSecrets(secrets)
    },
  })
  const pipelines = reloader.running
  const redact = (text: string): string => redactor(secrets)(text)
  let watches: readonly FileWatch[] = []
  let phase: 'starting' | 'running' | 'stopping' = 'starting'
  const missing = (): string[] => [
    ...(phase === 'running' ? [] : [`Headgate is ${phase}.`]),
    ...pipelines().flatMap((pipeline) => notReady(pipeline).map((why) => `${pipeline.name}: ${redact(why)}`)),
    ...(workers?.notReady() ?? []).map(redact),
  ]
  showProcess(metrics, {
    ready: () => missing().length === 0,
    usage: () => listener.usage(),
    maxConnections: settings.maxConnections,
    maxBodyMemory: bytes(settings.maxBodyMemory),
  })
  const connect = connectRoutes({
    reloader,
    targetStates,
    loggers,
    plugins: options.plugins,
    version: options.version,
    worker: `${hostname()}:${adminPort}`,
    file: options.file,
    writable: settings.configWritable,
    started: () => phase !== 'starting',
    questions: questionsInProcess(settings, dirname(options.file), reloader.config),
    redact,
  })
  const shown = {
    notReady: missing,
    async metrics() {
      await workers?.report()
      return { contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }
    },
    async ledgers() {
      const reports = pipelines().map(async ({ name, ledger }) => [
        name,
        withoutSecrets(await ledger.report(), redact),
      ])
      return Object.fromEntries(await Promise.all(reports))
    },
    retryFailed: () =>
      Object.fromEntries(pipelines().map(({ name, ledger }) => [name, ledger.retryFailed()])),
    details: () => ({
      revision: reloader.config().revision,
      pipelines: pipelines().map(({ name }) => name),
      ...pausedPipelines(pipelines()),
      ...reloadState(reloader.refused(), redact),
      ...certificates.details(),
    }),
    reload: async () => reloadAnswer(await reloader.reload('api'), redact),
  }
  const routes = [...connect, ...tapRoutes(taps, reloader.config, redact)]
  early?.admin.serve(shown, routes)
  if (early === undefined) await generateToken(settings)
  const admin: Admin = early?.admin ?? (await openAdmin(access, shown, routes))
  let stopWaiting = (): void => {}
  const stop = async (isTakenOver = false): Promise<readonly Left[]> => {
    phase = 'stopping'
    stopWaiting()
    for (const watch of watches) watch.close()
    // They hand over what they have taken, and are answered.
    await workers?.stop()
    // First of all, so that a sender that comes in between hears 503 and not that there is no such path.
    const closed = listener.close(isTakenOver ? LAST_REQUESTS : 0)
    const inTime = () => endsWithin(closed, LAST_REQUESTS)
    if (isTakenOver) await untilAborted(inTime(), deadline)
    const left = await reloader.stop(isTakenOver)
    // Load balancers open connections before they have a request: nobody waits for those.
    if (isTakenOver) await untilAborted(inTime(), deadline)
    if (deadline.aborted || isTakenOver) listener.closeNow()
    else await closed
    taps.close()
    await admin.close()
    await state.close()
    return left
  }
  try {
    await reloader.start()
    const intake = workers
      ? await workers.start(reloader.config(), reloader.running())
      : (early?.intake ?? (await listener.open())).url
    phase = 'running'
    if (early !== undefined)
      stopWaiting = releaseWhenReady(
        () => missing().length === 0,
        () => listener.release(),
      )
    watches = [
      watchFiles({
        paths: () => [...new Set([options.file, ...reloader.config().watched])],
        onChange: () => void reloader.reload('file'),
        onLook: reloader.retry,
      }),
      certificates.watch(),
    ]
    return {
      intake,
      admin: admin.url,
      reload(why) {
        void certificates.renew()
        workers?.tell({ kind: 'renew-certificates' })
        void reloader.reload(why)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }

  /** Opens both ports while the process before this one still takes events, and then its state directory. */
  async function openEarly() {
    if (!(await isStateInUse(directory))) {
      await requireUnused(settings, 'HEADGATE_HOST')
      await requireUnused(access, 'HEADGATE_ADMIN_HOST')
    }
    await generateToken(settings)
    let admin: StartingAdmin | undefined
    try {
      const intake: Address = await listener.open()
      admin = await openStartingAdmin(access, () => [
        'Headgate is starting, and waits until the process before it has stopped.',
      ])
      const handOver = { within: milliseconds(settings.shutdownTimeout), onRequest: options.onTakeover }
      return { intake, admin, state: await takeOverState(directory, log({ stage: 'ledger' }), handOver) }
    } catch (error) {
      // Those that wait are answered.
      await endsWithin(listener.close(), LAST_REQUESTS)
      await admin?.close()
      throw error
    }
  }
}

/** Milliseconds that the connections which are open when another process takes over have for the request that is on its way. */
const LAST_REQUESTS = 1000

/** For /ready: an operator's wish is no fault, and nothing to take the process out of a load balancer for. */
function pausedPipelines(pipelines: readonly Pipeline[]): { readonly paused?: readonly string[] } {
  const paused = pipelines.filter(({ runtime }) => runtime.targetState !== 'RUNNING')
  return paused.length === 0 ? {} : { paused: paused.map(({ name }) => name) }
}
