import { filesIn } from '../config/files.js'
import type { HttpHandler, Kind, KindTypes, Log, SinkContext, SourceContext } from '../contract/index.js'
import { CountedMemory } from '../http/body.js'
import { ProcessMetrics, pluginMetrics } from '../metrics/registry.js'
import { createShared } from '../pipeline/shared.js'
import type { Subject } from './test-plugin.js'

/** A stage that is tried: its plugin, what it logged, and what it serves. */
export interface Tried<K extends Kind> {
  readonly instance: KindTypes[K]['instance']
  /** Every log line as text, the fields included. */
  readonly logged: string[]
  /** Handlers by path, for a source. */
  readonly served: ReadonlyMap<string, HttpHandler>
  abort(): void
}

/** Creates the plugin with a context of its own. */
export function tryStage<K extends Kind>({ definition, config, folder }: Subject<K>): Tried<K> {
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
