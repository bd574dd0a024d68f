import type { ErrorCode, HeadgateError } from '../contract/errors.js'
import type { Event, Outcome } from '../contract/index.js'
import type { Pipeline } from '../pipeline/build.js'

/** An event whose path has ended, for those who look on. */
export interface Passed {
  /** Under the config that it came to. */
  readonly pipeline: Pipeline
  readonly outcome: Outcome
  /** As it was received; undefined where it did not become an event. */
  readonly event: Event | undefined
  /** When its path ended; milliseconds since the epoch. */
  readonly at: number
  /** Milliseconds from its beginning to then. */
  readonly took: number
  /** Why it was rejected, dead-lettered or put off. */
  readonly error: HeadgateError | undefined
  /** The rule that decided, as far as it is known without asking. */
  readonly rule: string | undefined
  /** Asks the stage that dropped it for the rule. */
  readonly askRule: (() => Promise<string | undefined>) | undefined
}

/** Which events are wanted: of each list one has to fit, and an empty one fits all. */
export interface TapFilter {
  readonly pipelines: readonly string[]
  readonly outcomes: readonly Outcome['kind'][]
  /** Names of rules. */
  readonly routes: readonly string[]
  readonly ids: readonly string[]
  readonly codes: readonly ErrorCode[]
}

/** All but the rule, which it may take a while to learn. */
export const fits = (
  { pipelines, outcomes, ids, codes }: TapFilter,
  { pipeline, outcome, error }: Passed,
): boolean =>
  isOne(pipelines, pipeline.name) &&
  isOne(outcomes, outcome.kind) &&
  isOne(ids, outcome.id) &&
  isOne(codes, error?.code)

export const fitsRule = ({ routes }: TapFilter, rule: string | undefined): boolean => isOne(routes, rule)

const isOne = <Value>(wanted: readonly Value[], value: Value | undefined): boolean =>
  wanted.length === 0 || (value !== undefined && wanted.includes(value))
