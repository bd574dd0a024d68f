import type { Problem } from '../../config/problem.js'
import type { CheckedConfig, ReadResult } from '../../config/read.js'
import { asHeadgateError, HeadgateError } from '../../contract/errors.js'
import type { Log } from '../../contract/index.js'
import { untilAborted } from '../../lib/async.js'
import { buildPipeline, type Surroundings } from '../build.js'
import { type Left, startPipeline, stopPipeline } from '../lifecycle.js'
import { type Pipeline, stagesOf } from '../pipeline.js'
import { logLines, RETRY_AFTER, type Refused, reasonsOf, retryOf } from '../refused.js'
import type { BuiltStage } from '../stage.js'
import { discard, startBeside } from './beside.js'
import { changesOf } from './changes.js'
import type { Fronts } from './fronts.js'
import { reloadMetrics } from './reload-metrics.js'
import { retire } from './retire.js'
import { arm, type Swap } from './transition.js'

/** What came of a reload. `changed` has the stages by pipeline, as `orders: transform.1.route`. */
export type Reloaded =
  | {
      readonly result: 'success' | 'unchanged'
      readonly revision: string
      readonly changed: readonly string[]
    }
  | Refused

/** Who asked. That nothing is different counts only where somebody wanted to know. */
export type Why = 'file' | 'signal' | 'api' | 'retry'

export interface ReloaderOptions {
  readonly config: CheckedConfig
  readonly surroundings: Surroundings
  /** Workers that do the front of the path; undefined where this process does all of it. */
  readonly fronts?: Fronts | undefined
  /** Reads and checks the file as it is now. */
  read(): Promise<ReadResult>
  /** Told of a config before anything is made of it: from now on its secrets must not be shown. */
  onSecrets(secrets: CheckedConfig['secrets']): void
}

/** The pipelines of a process, under the newest config that could be used. */
export interface Reloader {
  /** Starts them under the first config. Rejects where one cannot ever work. */
  start(): Promise<void>
  /**
   * Makes what the file says now what runs, or leaves everything as it is. Never rejects. Reloads that are asked for while
   * one is under way are one, which comes after it.
   */
  reload(why: Why): Promise<Reloaded>
  /**
   * Makes stages anew and puts them in place of those that run, under the config that runs. Rejects where a new one cannot
   * be started or does not take events; then the old ones go on.
   */
  restart(which: (pipeline: string, stage: BuiltStage) => boolean): Promise<void>
  /** Tries again what failed last, as far as that may come to another end now. */
  retry(): void
  running(): readonly Pipeline[]
  config(): CheckedConfig
  /** Why the config on disk is not what runs; undefined where it is. */
  refused(): Refused | undefined
  /** Stops all pipelines, and says what is left of each. `isTakenOver`: another process goes on from there at once. */
  stop(isTakenOver?: boolean): Promise<Left[]>
}

/** Milliseconds. So long a pipeline that is gone from the config goes on acknowledging. */
const FAREWELL = 30_000

export function createReloader(options: ReloaderOptions): Reloader {
  const { config: first, surroundings, fronts, read, onSecrets } = options
  const { metrics, signal } = surroundings
  const ending = new AbortController()
  const beside = AbortSignal.any([signal, ending.signal])
  const log: Log = surroundings.log({})
  let config = first
  let pipelines = new Map(
    first.pipelines.map((checked) => [checked.name, buildPipeline(first, checked, surroundings)]),
  )
  let refused: Refused | undefined
  let failedAt = 0
  let under: Promise<unknown> = Promise.resolve()
  let queued: Promise<Reloaded> | undefined
  let stopping = false
  const retiring = new Set<Promise<void>>()
  /** By the names of pipelines that are gone. */
  const farewells = new Map<string, { readonly ended: Promise<void>; hurry(): void }>()

  const counts = reloadMetrics(metrics, () => refused === undefined)
  counts.running(first.revision)

  async function attempt(why: Why): Promise<Reloaded> {
    const quietly = why === 'retry'
    const found = await read().then(
      (result) => (result.ok ? result : { problems: result.problems, error: undefined }),
      (thrown) => ({ problems: [], error: asHeadgateError(thrown, 'Reading the config') }),
    )
    if (stopping) {
      const error = new HeadgateError('HG_RELOAD_FAILED', 'Headgate is shutting down.')
      return { result: 'failure', revision: config.revision, problems: [], error, retry: undefined }
    }
    if ('problems' in found) return refuse(found.problems, found.error, quietly)
    try {
      const changed = await apply(found.config)
      const wasRefused = refused !== undefined
      refused = undefined
      const result = changed === undefined ? 'unchanged' : 'success'
      counts.running(config.revision)
      if (changed !== undefined || why === 'signal' || why === 'api') counts.came(result)
      const said = { event: 'config', why, revision: config.revision, changed: changed ?? [] }
      if (wasRefused) log.info(said, acceptedAgain(changed))
      else if (changed !== undefined) log.info(said, 'the new config is what runs')
      else log.debug(said, 'the config says what runs already')
      return { result, revision: config.revision, changed: changed ?? [] }
    } catch (thrown) {
      return refuse([], asHeadgateError(thrown, 'The new config'), quietly)
    }
  }

  function refuse(problems: readonly Problem[], error: HeadgateError | undefined, quietly: boolean): Refused {
    const last = refused
    const retry = retryOf(error)
    refused = { result: 'failure', revision: config.revision, problems, error, retry }
    failedAt = performance.now()
    if (quietly && last !== undefined && reasonsOf(last).join() === reasonsOf(refused).join()) return refused
    counts.came('failure')
    for (const { fields, message } of logLines(refused)) log.error(fields, message)
    return refused
  }

  /** Undefined where nothing is different. */
  async function apply(
    next: CheckedConfig,
    anew: (pipeline: string, stage: BuiltStage) => boolean = () => false,
  ): Promise<string[] | undefined> {
    onSecrets(next.secrets)
    for (const { name } of next.pipelines) {
      farewells.get(name)?.hurry()
      await farewells.get(name)?.ended
    }
    const swaps: Swap[] = []
    try {
      for (const checked of next.pipelines) {
        const running = pipelines.get(checked.name)
        const fresh = (stage: BuiltStage) => anew(checked.name, stage)
        swaps.push({ running, next: buildPipeline(next, checked, surroundings, running, fresh) })
      }
      for (const [name, running] of pipelines)
        if (!next.pipelines.some((checked) => checked.name === name)) swaps.push({ running, next: undefined })
      const changed = swaps.flatMap(describe)
      if (changed.length === 0 && next.revision === config.revision) {
        for (const each of swaps) await discard(each, signal)
        config = next
        return undefined
      }
      for (const each of swaps) await startBeside(each, beside)
      await fronts?.prepare({ config: next, pipelines: nextOf(swaps), anew: madeAnew(swaps, anew) })
      const armed = await arm(swaps, beside, fronts)
      armed.commit()
      pipelines = new Map(nextOf(swaps).map((pipeline) => [pipeline.name, pipeline]))
      config = next
      for (const each of swaps) endOf(each)
      return changed
    } catch (error) {
      fronts?.abandon()
      for (const each of swaps) await discard(each, signal)
      throw error
    }
  }

  function endOf(each: Swap): void {
    const { running, next } = each
    if (running === undefined) return
    const hurry = new AbortController()
    const farewell = setTimeout(() => hurry.abort(), FAREWELL).unref()
    const ended = retireAfterWorkers(each, running, AbortSignal.any([signal, hurry.signal])).then(
      (unacknowledged) => {
        if (unacknowledged === 0) return
        log.warn(
          { pipeline: running.name, unacknowledged },
          'the pipeline is gone from the config; what is not acknowledged waits in the state directory until it is back',
        )
      },
      (thrown) =>
        log.error({ pipeline: running.name, err: thrown }, 'a stage of the old config could not be stopped'),
    )
    retiring.add(ended)
    void ended.then(() => {
      clearTimeout(farewell)
      retiring.delete(ended)
    })
    if (next !== undefined) return
    farewells.set(running.name, { ended, hurry: () => hurry.abort() })
    void ended.then(() => farewells.delete(running.name))
  }

  async function retireAfterWorkers(each: Swap, running: Pipeline, hurry: AbortSignal): Promise<number> {
    if (fronts !== undefined) await untilAborted(fronts.left(running), signal)
    return retire(each, signal, hurry)
  }

  function ask(why: Why): Promise<Reloaded> {
    if (queued !== undefined) return queued
    const mine = under.then(() => {
      queued = undefined
      return attempt(why)
    })
    queued = mine
    under = mine
    return mine
  }

  return {
    async start() {
      await Promise.all([...pipelines.values()].map(startPipeline))
    },
    reload: ask,
    restart(which) {
      const mine = under.then(async () => {
        if (stopping) throw new HeadgateError('HG_RELOAD_FAILED', 'Headgate is shutting down.')
        const changed = await apply(config, which)
        if (changed !== undefined) log.info({ event: 'restart', changed }, 'stages were restarted')
      })
      under = mine.catch(() => {})
      return mine
    },
    retry() {
      if (refused === undefined || stopping) return
      if (refused.error !== undefined && performance.now() - failedAt < RETRY_AFTER) return
      void ask('retry')
    },
    running: () => [...pipelines.values()],
    config: () => config,
    refused: () => refused,
    async stop(isTakenOver) {
      stopping = true
      ending.abort()
      await under
      for (const { hurry } of farewells.values()) hurry()
      const left = await Promise.all(
        [...pipelines.values()].map((pipeline) => stopPipeline(pipeline, signal, isTakenOver)),
      )
      await Promise.all(retiring)
      return left
    },
  }
}

const acceptedAgain = (changed: readonly string[] | undefined): string =>
  changed === undefined
    ? 'the config on disk is accepted again: it is the one that is running'
    : 'the config on disk was accepted and is running now'

const nextOf = (swaps: readonly Swap[]): Pipeline[] => swaps.flatMap(({ next }) => next ?? [])

const madeAnew = (swaps: readonly Swap[], anew: (pipeline: string, stage: BuiltStage) => boolean) =>
  swaps.flatMap(({ running }) =>
    stagesOf(running)
      .filter((stage) => anew(running?.name ?? '', stage))
      .map((stage) => ({ pipeline: running?.name ?? '', stage: stage.name })),
  )

function describe({ running, next }: Swap): string[] {
  if (running === undefined) return next === undefined ? [] : [`${next.name}: new`]
  if (next === undefined) return [`${running.name}: gone`]
  return changesOf(running, next).map((name) => `${next.name}: ${name}`)
}
