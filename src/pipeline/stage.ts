import { isDeepStrictEqual } from 'node:util'
import type { CheckedStage } from '../config/check.js'
import type { Context, Files, HttpListener, Kind, KindTypes, Log } from '../contract/index.js'
import { type MetricsRegistry, type MetricsScope, pluginMetrics } from '../metrics/registry.js'

/** A plugin at its place in a pipeline. The next config keeps it where it says the same of it. */
export interface BuiltStage<K extends Kind = Kind> {
  /** As `transform.1.route`: unique in the pipeline. */
  readonly name: string
  readonly plugin: string
  readonly instance: KindTypes[K]['instance']
  readonly log: Log
  /** The series that the plugin asked for. */
  readonly metrics: MetricsScope
  /** Whether a config has the same settings at the same place, and the files that were read say the same. */
  isSame(name: string, checked: CheckedStage<K>, files: Files): boolean
}

/** The listener as a source is given it; one that can be taken from it while the process goes on. */
export interface IntakePaths extends HttpListener {
  offer?(): void
  withdraw?(): Promise<void>
}

export interface StageSurroundings {
  readonly pipeline: string
  readonly metrics: MetricsRegistry
  readonly files: Files
  readonly signal: AbortSignal
  log(fields: { readonly [name: string]: string }): Log
  /** Those of the config that runs. */
  readonly kept: readonly BuiltStage[]
}

/** Keeps the stage that runs, or creates one. `more` goes into the context beside what every stage is given. */
export function buildStage<K extends Kind>(
  name: string,
  checked: CheckedStage<K>,
  { pipeline, metrics, files, signal, log: logOf, kept }: StageSurroundings,
  more: Omit<KindTypes[K]['context'], keyof Context>,
): BuiltStage<K> {
  const same = kept.find((stage) => stage.isSame(name, checked, files)) as BuiltStage<K> | undefined
  if (same !== undefined) return same
  const { definition, config } = checked
  const scope = metrics.scope()
  const log = logOf({ pipeline, stage: name })
  const recorded = recordFiles(files)
  const context = {
    pipeline,
    log,
    metrics: pluginMetrics(scope, { pipeline }),
    files: recorded.files,
    signal,
    ...more,
  } as KindTypes[K]['context']
  // A plugin may change what it is given: what it is compared with is what the file says.
  const settings = structuredClone(config)
  return {
    name,
    plugin: definition.name,
    instance: (definition as Creates<K>).create(config, context),
    log,
    metrics: scope,
    isSame: (itsName, its, itsFiles) =>
      itsName === name &&
      (its.definition as unknown) === definition &&
      isDeepStrictEqual(its.config, settings) &&
      recorded.areSame(itsFiles),
  }
}

/** A definition whose kind is that of its context: TypeScript cannot see it for a kind that is a parameter. */
interface Creates<K extends Kind> {
  create(config: unknown, context: KindTypes[K]['context']): KindTypes[K]['instance']
}

/** Files that remember what was read of them. */
function recordFiles(files: Files): { readonly files: Files; areSame(now: Files): boolean } {
  const looks: ((now: Files) => boolean)[] = []
  return {
    files: {
      resolve: files.resolve,
      read(path) {
        const text = files.read(path)
        looks.push((now) => now.read(path) === text)
        return text
      },
      list(folder) {
        const names = files.list(folder)
        looks.push((now) => isDeepStrictEqual(now.list(folder), names))
        return names
      },
    },
    areSame(now) {
      try {
        return looks.every((look) => look(now))
      } catch {
        return false
      }
    },
  }
}
