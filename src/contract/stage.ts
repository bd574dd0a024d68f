/** All I/O of a stage lies between `start` and `stop`; `create` only puts it together. */
export interface Lifecycle {
  start?(): Promise<void>
  /** Finishes what is under way. May be called without `start`. */
  stop?(): Promise<void>
  /** Why the pipeline cannot take events now; empty when it can. Shown by /ready, one sentence each. */
  notReady?(): readonly string[]
}

/** One thing that a stage looked at, for people who ask why: `explain` shows it, `test` and `diff` go by it. */
export interface Explained {
  /** What it is, such as `event id` or `rule eu-west`. */
  readonly name: string
  /** What it came to: `matched`, `not tried`, the value that was found. */
  readonly result: string
  /** Each place or condition that was looked at, and what was found there. */
  readonly looked: readonly { readonly at: string; readonly found: string }[]
}

/** Why a transform says what it says of an event. */
export interface Explanation {
  /** The rule that decides, for a stage that has rules; undefined where the event did not get that far. */
  readonly rule?: string
  /** In the order in which the stage looks. */
  readonly details: readonly Explained[]
}
