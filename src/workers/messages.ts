import type { Contents } from '../config/files.js'
import type { GaugeValue, Series } from '../metrics/registry.js'
import type { TargetState } from '../pipeline/target-state.js'
import type { Settings } from '../process/settings.js'
import type { AttemptedMessage, AttemptMessage } from './attempt-message.js'
import type { ErrorText } from './error-text.js'
import type { EventMessage } from './event-message.js'
import type { OutcomeMessage } from './outcome-message.js'

/** A config as a worker builds it: from the very texts that the primary process has read. */
export interface ConfigMessage {
  /** Each config that runs, or is tried, has another. */
  readonly generation: number
  readonly revision: string
  readonly contents: readonly (readonly [path: string, text: string])[]
  /** What operators want of its pipelines, by their names. */
  readonly targetStates: { readonly [pipeline: string]: TargetState }
}

/** Everything that a worker has to know; the first that it is told. */
export interface StartMessage {
  readonly kind: 'start'
  /** From 1 on; the log names it. */
  readonly worker: number
  /** How many share what is bounded for all of them together. */
  readonly workers: number
  /** Of the process; ports as they were bound. */
  readonly settings: Settings
  readonly config: ConfigMessage
  /** Levels of loggers that were changed, oldest first. */
  readonly levels: readonly (readonly [name: string, level: string])[]
}

/** What the primary process asks for, and waits for an `answer`. */
export type Request =
  | StartMessage
  | {
      readonly kind: 'prepare'
      readonly config: ConfigMessage
      readonly anew: readonly { readonly pipeline: string; readonly stage: string }[]
    }
  | { readonly kind: 'arm' }
  | { readonly kind: 'report' }
  /** Answers what is in flight, and ends. */
  | { readonly kind: 'stop' }

/** What a worker is told. */
export type ToWorker =
  | OutcomeMessage
  | AttemptMessage
  | { readonly kind: 'request'; readonly number: number; readonly request: Request }
  | { readonly kind: 'commit' }
  | { readonly kind: 'abandon' }
  | { readonly kind: 'target-state'; readonly pipeline: string; readonly targetState: TargetState }
  | { readonly kind: 'level'; readonly name: string; readonly level: string }
  | { readonly kind: 'renew-certificates' }

/** What a worker says. */
export type ToPrimary =
  | EventMessage
  | AttemptedMessage
  /** To the request of this number. `url`: where it listens, for `start`. */
  | { readonly kind: 'answer'; readonly number: number; readonly error?: ErrorText; readonly url?: string }
  /** No event comes under this config any more. */
  | { readonly kind: 'left'; readonly generation: number }
  | { readonly kind: 'report'; readonly report: Report }
  /** A line of its log. */
  | { readonly kind: 'line'; readonly line: string }

/** How a worker is. What it has counted is since its last report. */
export interface Report {
  readonly counts: readonly Series[]
  readonly gauges: readonly GaugeValue[]
  /** Why its stages cannot take events, one sentence each. */
  readonly notReady: readonly string[]
}

export const contentsOf = ({ contents }: ConfigMessage): Contents => new Map(contents)
