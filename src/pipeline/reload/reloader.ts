import { areOnDisk } from '../../config/files.js'
import type { CheckedConfig, ReadResult } from '../../config/read.js'
import { asHeadgateError, HeadgateError } from '../../contract/errors.js'
import type { Log } from '../../contract/index.js'
import { SerialQueue } from '../../lib/async.js'
import { nextTurn } from '../../lib/slices.js'
import type { PipelineDeps } from '../build.js'
import { stopPipeline, type Unfinished } from '../lifecycle.js'
import { type PrimaryPipeline, stagesOf } from '../pipeline.js'
import type { BuiltStage } from '../stage.js'
import { buildPrimaryPipeline, type LedgersOfWorkers } from '../supervised.js'
import { changesOf, differencesOf, type PipelineChange } from './changes.js'
import { Drains } from './drains.js'
import {
  logRefused,
  RETRY_AFTER,
  type Refused,
  type Reloaded,
  ReloadMetrics,
  reasonsOf,
  reloadFailed,
  retryOf,
} from './outcome.js'
import { Transition, type WorkersTransition } from './transition.js'

/** The reason for a reload. A retry with the same outcome as the one before is neither counted nor logged. */
export type Why = 'file' | 'signal' | 'api' | 'retry'

type IsRestarted = (pipeline: string, stage: BuiltStage) => boolean

export interface ReloaderOptions {
  readonly config: CheckedConfig
  readonly deps: PipelineDeps
  /** Undefined if this process does all work itself. */
  readonly workers?: (WorkersTransition & { readonly ledgerOf: LedgersOfWorkers }) | undefined
  /** Reads and checks the file as it is now. May reject if `signal` is aborted. */
  read(signal: AbortSignal): Promise<ReadResult>
  /** Called with the secrets of a config before anything is built from it: from then on they must not be shown. */
  onSecrets(secrets: CheckedConfig['secrets']): void
}

/** A config with a mistake is checked again for files that no watch sees; that takes at most a tenth of a core. */
const PAUSE_PER_CHECK = 10

/** The pipelines of a process, under the newest config that was accepted. */
export class Reloader {
  readonly #options: ReloaderOptions
  readonly #log: Log
  readonly #metrics: ReloadMetrics
  readonly #stopping = new AbortController()
  readonly #drains: Drains
  #config: CheckedConfig
  #pipelines: readonly PrimaryPipeline[]
  #refused: Refused | undefined
  #refusedAt = 0
  /** Milliseconds that the last check took. */
  #checkTime = 0
  /** Reloads and restarts. */
  readonly #queue = new SerialQueue()
  #queued: Promise<Reloaded> | undefined

  constructor(options: ReloaderOptions) {
    const { config, deps, workers } = options
    this.#options = options
    this.#config = config
    this.#log = deps.log({})
    this.#drains = new Drains(deps.signal, this.#log)
    this.#pipelines = config.pipelines.map((checked) =>
      buildPrimaryPipeline(config, checked, deps, workers?.ledgerOf),
    )
    this.#metrics = new ReloadMetrics(deps.metrics, () => this.#refused === undefined)
    this.#metrics.succeeded(config.revision)
  }

  /** Starts the pipelines under the first config. Rejects if one can never work; then none runs. */
  async start(): Promise<void> {
    try {
      await Transition.start(this.#pipelines, this.#options.deps.signal)
    } catch (error) {
      this.#pipelines = []
      throw error
    }
  }

  /**
   * Runs the config that the file has now, or leaves everything as it is. Never rejects. All requests
   * for a reload that come while one is under way become one reload after it.
   */
  reload(why: Why): Promise<Reloaded> {
    if (this.#queued !== undefined) return this.#queued
    this.#queued = this.#queue.run(() => {
      this.#queued = undefined
      return this.#attempt(why)
    })
    return this.#queued
  }

  /**
   * Replaces running stages by new ones, under the config that runs. Rejects if a new one does not start or does not take
   * events; then the old ones continue.
   */
  restart(isRestarted: IsRestarted): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#stopping.signal.aborted) throw shuttingDown()
      const changed = await this.#apply(this.#config, isRestarted)
      if (changed !== undefined) this.#log.info({ event: 'restart', changed }, 'stages were restarted')
    })
  }

  /** Retries the reload that failed last, if the outcome can be different now. */
  retry(): void {
    if (this.#refused === undefined || this.#stopping.signal.aborted) return
    const pause = this.#refused.error === undefined ? this.#checkTime * PAUSE_PER_CHECK : RETRY_AFTER
    if (performance.now() - this.#refusedAt < pause) return
    void this.reload('retry')
  }

  running(): readonly PrimaryPipeline[] {
    return this.#pipelines
  }

  config(): CheckedConfig {
    return this.#config
  }

  /** Why the config on disk is not the one that runs; undefined if it is. */
  refused(): Refused | undefined {
    return this.#refused
  }

  /** Stops all pipelines. `isTakenOver`: as for `stopPipeline`. */
  async stop(isTakenOver?: boolean): Promise<Unfinished[]> {
    const { signal } = this.#options.deps
    this.#stopping.abort()
    await this.#queue.drained()
    this.#drains.cancel()
    const unfinished = await Promise.all(
      this.#pipelines.map((pipeline) => stopPipeline(pipeline, signal, isTakenOver)),
    )
    await this.#drains.ended()
    return unfinished
  }

  async #attempt(why: Why): Promise<Reloaded> {
    const isRetry = why === 'retry'
    // The watch reports its first look as a change: most often, there is nothing to check.
    if (why === 'file' && areOnDisk(this.#config.contents())) return this.#accept(why, undefined)
    const startedAt = performance.now()
    const read = await this.#options
      .read(this.#stopping.signal)
      .catch((thrown) => asHeadgateError(thrown, 'Reading the config'))
    this.#checkTime = performance.now() - startedAt
    if (this.#stopping.signal.aborted) {
      const { revision } = this.#config
      return { result: 'failure', revision, problems: [], error: shuttingDown(), retry: undefined }
    }
    if (read instanceof HeadgateError) return this.#refuse([], read, isRetry)
    if (!read.ok) return this.#refuse(read.problems, undefined, isRetry)
    try {
      return this.#accept(why, await this.#apply(read.config))
    } catch (thrown) {
      return this.#refuse([], asHeadgateError(thrown, 'The new config'), isRetry)
    }
  }

  /** `changed` is undefined if nothing is different. */
  #accept(why: Why, changed: readonly string[] | undefined): Reloaded {
    const { revision } = this.#config
    const wasRefused = this.#refused !== undefined
    this.#refused = undefined
    const result = changed === undefined ? 'unchanged' : 'success'
    this.#metrics.succeeded(revision)
    if (changed !== undefined || why === 'signal' || why === 'api') this.#metrics.count(result)
    const fields = { event: 'config', why, revision, changed: changed ?? [] }
    if (wasRefused) this.#log.info(fields, acceptedAgain(changed))
    else if (changed !== undefined) this.#log.info(fields, 'the new config is running')
    else this.#log.debug(fields, 'the config is unchanged')
    return { result, revision, changed: changed ?? [] }
  }

  #refuse(problems: Refused['problems'], error: HeadgateError | undefined, isRetry: boolean): Refused {
    const last = this.#refused
    const { revision } = this.#config
    const refused: Refused = { result: 'failure', revision, problems, error, retry: retryOf(error) }
    this.#refused = refused
    this.#refusedAt = performance.now()
    const isSame = last !== undefined && reasonsOf(last).join() === reasonsOf(refused).join()
    if (isRetry && isSame) return refused
    this.#metrics.count('failure')
    logRefused(this.#log, refused)
    return refused
  }

  /** Undefined if nothing is different. */
  async #apply(config: CheckedConfig, isRestarted: IsRestarted = () => false): Promise<string[] | undefined> {
    const { onSecrets, workers } = this.#options
    onSecrets(config.secrets)
    await this.#drains.removed(config.pipelines.map(({ name }) => name))
    const changes = await this.#build(config, isRestarted)
    const transition = this.#transition(changes)
    const pipelines = changes.flatMap((change) => (change.kind === 'removed' ? [] : [change.next]))
    const changed = changes.flatMap(differencesOf)
    try {
      if (changed.length === 0 && config.revision === this.#config.revision) {
        await transition.rollback()
        this.#config = config
        return undefined
      }
      await transition.prepare()
      await workers?.prepare({ config, pipelines, restart: this.#stagesThat(isRestarted) })
      await transition.quiesce()
      transition.commit()
    } catch (error) {
      await transition.rollback()
      throw error
    }
    this.#pipelines = pipelines
    this.#config = config
    for (const change of changes) void this.#drains.start(transition, change)
    return changed
  }

  #transition(changes: readonly PipelineChange[]): Transition {
    const { workers, deps } = this.#options
    const { signal } = deps
    const cancel = AbortSignal.any([signal, this.#stopping.signal])
    return new Transition(changes, { cancel, deadline: signal, workers })
  }

  async #build(config: CheckedConfig, isRestarted: IsRestarted): Promise<PipelineChange<PrimaryPipeline>[]> {
    const { deps, workers } = this.#options
    const built: PrimaryPipeline[] = []
    try {
      for (const checked of config.pipelines) {
        await nextTurn()
        const { name } = checked
        const running = this.#pipelines.find((pipeline) => pipeline.name === name)
        const isNew = (stage: BuiltStage) => isRestarted(name, stage)
        built.push(buildPrimaryPipeline(config, checked, deps, workers?.ledgerOf, running, isNew))
      }
    } catch (error) {
      await this.#transition(changesOf(this.#pipelines, built)).rollback()
      throw error
    }
    return changesOf(this.#pipelines, built)
  }

  #stagesThat(isRestarted: IsRestarted) {
    return this.#pipelines.flatMap((pipeline) =>
      stagesOf(pipeline).flatMap((stage) =>
        isRestarted(pipeline.name, stage) ? [{ pipeline: pipeline.name, stage: stage.name }] : [],
      ),
    )
  }
}

const shuttingDown = (): HeadgateError => reloadFailed('Headgate is shutting down.')

const acceptedAgain = (changed: readonly string[] | undefined): string =>
  changed === undefined
    ? 'the config on disk is accepted again: it is the running one'
    : 'the config on disk was accepted and is running now'
