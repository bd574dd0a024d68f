import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { formatProblem } from '../../../src/config/problem.js'
import { type ReadResult, readConfig } from '../../../src/config/read.js'
import type { AnyDefinition } from '../../../src/contract/index.js'
import { openStateDirectory } from '../../../src/ledger/state-directory.js'
import { LedgerStore } from '../../../src/ledger/store.js'
import { ProcessMetrics } from '../../../src/metrics/registry.js'
import { buildPipeline, type PipelineDeps } from '../../../src/pipeline/build.js'
import { stopPipeline } from '../../../src/pipeline/lifecycle.js'
import type { Pipeline } from '../../../src/pipeline/pipeline.js'
import { Transition } from '../../../src/pipeline/reload/transition.js'
import type { Tap } from '../../../src/pipeline/taps.js'
import { type LogLine, temporaryDirectory, testContext } from '../context.js'
import { type InlinePlugins, inlineConfig, inlinePlugins } from './inline-plugins.js'

/** Reads a config text as `run` would. */
export function readText(
  text: string,
  definitions: readonly AnyDefinition[],
  options: {
    readonly environment?: { [name: string]: string }
    readonly exposed?: boolean
    readonly files?: { [path: string]: string }
    readonly unresolved?: 'placeholder'
  } = {},
): ReadResult {
  const cwd = temporaryDirectory({ 'plugins.config.json': text, ...options.files })
  const { environment = {}, exposed = false, unresolved } = options
  return readConfig(join(cwd, 'plugins.config.json'), {
    plugins: definitions,
    environment,
    exposed,
    cwd,
    ...(unresolved && { unresolved }),
  })
}

export interface RunningPipeline {
  readonly pipeline: Pipeline
  readonly inline: InlinePlugins
  readonly lines: LogLine[]
  /** The taps of the pipeline. */
  readonly taps: Set<Tap>
  /** Aborts every wait of a stop. */
  readonly deadline: AbortController
  /** Ends in order, as a process does; pending acknowledgements are in the state directory then. */
  stop(): Promise<void>
  /** The value of a series, as a scrape shows it. */
  metric(series: string): Promise<number | undefined>
}

/** A pipeline of inline plugins, built from a real config file and running until the test has finished. */
export async function runningPipeline(
  settings: object = {},
  stateDir?: string,
  more: Partial<PipelineDeps> = {},
): Promise<RunningPipeline> {
  const inline = inlinePlugins()
  const read = readText(inlineConfig(settings), inline.definitions)
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'))
  const [checked] = read.config.pipelines
  if (checked === undefined) throw new Error('the config has no pipeline')
  const metrics = new ProcessMetrics()
  const { log, lines } = testContext()
  const taps = new Set<Tap>()
  const deadline = new AbortController()
  const state = await openStateDirectory(stateDir ?? temporaryDirectory(), log)
  const pipeline = buildPipeline(read.config, checked, {
    metrics,
    log: () => log,
    http: () => ({ memory: { take: () => true, add() {}, release() {} }, serve: () => () => {} }),
    openStore: (pipeline, limits) => LedgerStore.open(state.database, pipeline, limits),
    signal: deadline.signal,
    taps,
    isWatched: () => taps.size > 0,
    ...more,
  })
  await Transition.start([pipeline], deadline.signal)
  let ended: Promise<void> | undefined
  const stop = () => {
    deadline.abort()
    ended ??= stopPipeline(pipeline, deadline.signal).then(() => state.close())
    return ended
  }
  onTestFinished(stop)
  return {
    stop,
    pipeline,
    inline,
    lines,
    taps,
    deadline,
    async metric(series) {
      const text = await metrics.registry.metrics()
      const line = text.split('\n').find((line) => line.startsWith(`${series} `))
      return line === undefined ? undefined : Number(line.slice(series.length + 1))
    },
  }
}
