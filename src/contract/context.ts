import type { HttpListener } from './http.js'
import type { Metrics } from './metrics.js'

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Files that the config names, relative to the config file. */
export interface Files {
  /** The absolute path. */
  resolve(path: string): string
  /** Throws HG_CONFIG_UNREADABLE with the path and the reason. */
  read(path: string): string
  /** The names in a folder, sorted. Throws HG_CONFIG_UNREADABLE. */
  list(folder: string): readonly string[]
}

export interface Context {
  readonly pipeline: string
  readonly log: Log
  readonly metrics: Metrics
  readonly files: Files
  /** Aborted when the process no longer waits for anybody: give up what is still under way. */
  readonly signal: AbortSignal
}

export interface SourceContext extends Context {
  readonly http: HttpListener
}

/** Something that several stages share, such as the connection to a cluster. */
export interface Shareable {
  /** Called when its last user has given it back. */
  stop(): Promise<void>
}

/** What is made for several stages logs and counts under a name of its own and not for a pipeline. */
export interface SharedContext {
  /** Of the sink in the config, or of the first pipeline with such a sink. */
  readonly name: string
  readonly log: Log
  /** Their label is the name, as `sink`. */
  readonly metrics: Metrics
  /** As that of `Context`. */
  readonly signal: AbortSignal
}

/** One user's hold on something shared. */
export interface Lease<Thing extends Shareable> {
  readonly thing: Thing
  /** Gives it back. Resolves when it has been stopped, if this was its last user. */
  release(): Promise<void>
}

export interface SinkContext extends Context {
  /**
   * What other stages of the same plugin use under the same `key`, or a new one. Its `create`, like that of the plugin, is
   * pure; the sink gives it back in `stop`. The key says everything that makes a difference, secrets included, and is never
   * shown.
   */
  share<Thing extends Shareable>(key: string, create: (context: SharedContext) => Thing): Lease<Thing>
}
