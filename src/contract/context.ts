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

/** Given to every stage, bound to its pipeline and its name: a plugin never names itself. */
export interface Context {
  readonly pipeline: string
  readonly log: Log
  readonly metrics: Metrics
  readonly files: Files
  /** Aborted when the shutdown no longer waits: cancel all work in progress. */
  readonly signal: AbortSignal
}

/** All I/O of a stage lies between `start` and `stop`; `create` only puts it together. */
export interface Lifecycle {
  start?(): Promise<void>
  /** Finishes the work in progress. May be called without `start`. */
  stop?(): Promise<void>
  /** The reasons why the pipeline cannot take events now; empty if it can. Shown by /ready, one sentence each. */
  notReady?(): readonly string[]
  /**
   * Resolves once `notReady` is empty, at once if it is already. A stage with `notReady` has this, too: a reload waits for
   * it before events go to the stage.
   */
  ready?(): Promise<void>
}

/** A value that a stage examined for its decision: `explain` shows it, `test` and `diff` compare it. */
export interface Explained {
  /** Such as `event id` or `rule eu-west`. */
  readonly name: string
  /** The result: `matched`, `not tried`, the value that was found. */
  readonly result: string
  /** Each value or condition that was looked at, and its content there. */
  readonly looked: readonly { readonly at: string; readonly found: string }[]
}

/** The reason for the verdict of a transform. */
export interface Explanation {
  /** The rule that decides, for a stage that has rules; undefined if the event did not get that far. */
  readonly rule?: string
  /** In the order in which the stage looks. */
  readonly details: readonly Explained[]
}
