import { isDeepStrictEqual } from 'node:util'
import type { CheckedStage } from '../config/checked-pipeline.js'
import type { Context, Files, HttpListener, Kind, KindTypes, Log } from '../contract/index.js'
import { type MetricsRegistry, type MetricsScope, pluginMetrics } from '../metrics/registry.js'

/** A plugin in a pipeline. The next config keeps it if it configures it the same. */
export interface BuiltStage<K extends Kind = Kind> {
  /** As `transform.1.route`: unique in the pipeline. */
  readonly name: string
  readonly plugin: string
  readonly instance: KindTypes[K]['instance']
  readonly log: Log
  /** The series that the plugin asked for. */
  readonly metrics: MetricsScope
  /** Whether a config has the same stage with the same settings, and the files that the plugin has read are unchanged. */
  isSame(name: string, checked: CheckedStage<K>, files: Files): boolean
}

/** The listener that a source receives. If it has `withdraw`, the process can take its paths back while it runs. */
export interface IntakePaths extends HttpListener {
  offer?(): void
  withdraw?(): Promise<void>
}

export interface StageDeps {
  readonly pipeline: string
  readonly metrics: MetricsRegistry
  readonly files: Files
  readonly signal: AbortSignal
  log(fields: { readonly [name: string]: string }): Log
  /** The stages of the running config. */
  readonly kept: readonly BuiltStage[]
}

/** Reuses the running stage, or creates one. `more` extends the context that every stage receives. */
export function buildStage<K extends Kind>(
  name: string,
  checked: CheckedStage<K>,
  { pipeline, metrics, files, signal, log: logOf, kept }: StageDeps,
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
  // A plugin may modify its settings: a later config is compared with the settings from the file.
  const settings = structuredClone(config)
  return {
    name,
    plugin: definition.name,
    instance: (definition as Creates<K>).create(config, context),
    log,
    metrics: scope,
    isSame: (nextName, next, nextFiles) =>
      nextName === name &&
      (next.definition as unknown) === definition &&
      isDeepStrictEqual(next.config, settings) &&
      recorded.areSame(nextFiles),
  }
}

/** Ties the kind of a definition to its context: TypeScript cannot infer that for a kind that is a parameter. */
interface Creates<K extends Kind> {
  create(config: unknown, context: KindTypes[K]['context']): KindTypes[K]['instance']
}

/** Files that record every read, so that a later config can tell whether they have changed. */
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
