import type { TSchema } from 'typebox'
import { filesIn } from '../config/files.js'
import type {
  Definition,
  Event,
  HttpHandler,
  Kind,
  KindTypes,
  Log,
  SinkContext,
  SourceContext,
} from '../contract/index.js'
import { CountedMemory } from '../http/body.js'
import { ProcessMetrics, pluginMetrics } from '../metrics/registry.js'
import { createShared } from '../pipeline/shared.js'

/** A plugin under test, and its settings and events. */
export interface Subject<K extends Kind = Kind> {
  readonly definition: Definition<K, TSchema>
  /** A valid config whose addresses do not respond: the plugin must cope with that. */
  readonly config: object
  /** Folder that paths in the config are relative to. */
  readonly folder: string
  /** Values that must never appear in a log, an error or a response. */
  readonly secrets: readonly string[]
  /** Events that a transform or a sink with this config accepts. */
  readonly events: readonly Event[]
}

/** One requirement of every plugin of a kind. `run` rejects if the plugin does not meet it. */
export interface Check {
  readonly name: string
  run(): Promise<void>
}

/** A stage under test, with its log lines and its handlers. */
export interface TestStage<K extends Kind> {
  readonly instance: KindTypes[K]['instance']
  /** Every log line as text, the fields included. */
  readonly logged: string[]
  /** Handlers by path, for a source. */
  readonly served: ReadonlyMap<string, HttpHandler>
  abort(): void
}

/** Creates the stage with a context of its own. */
export function createStage<K extends Kind>({ definition, config, folder }: Subject<K>): TestStage<K> {
  const logged: string[] = []
  const served = new Map<string, HttpHandler>()
  const aborter = new AbortController()
  const write = (fields: object, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { debug: write, info: write, warn: write, error: write }
  const metrics = new ProcessMetrics()
  const signal = aborter.signal
  const shared = createShared({ metrics, log: () => log, signal })
  const context: SourceContext & SinkContext = {
    pipeline: 'conformance',
    log,
    metrics: pluginMetrics(metrics, { pipeline: 'conformance' }),
    files: filesIn(folder),
    signal,
    hasInbox: false,
    share: (key, create) => shared.lease('conformance', key, 'conformance', create),
    http: {
      memory: new CountedMemory(Number.POSITIVE_INFINITY),
      serve(path, handler) {
        served.set(path, handler)
        return () => void served.delete(path)
      },
    },
  }
  const instance = definition.create(structuredClone(config), context)
  return { instance, logged, served, abort: () => aborter.abort() }
}
