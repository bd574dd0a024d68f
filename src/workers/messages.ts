import type { CheckedFiles } from '../config/read.js'
import type { LedgerInstances, LedgerReport, PartitionProgress } from '../ledger/ledger.js'
import type { GaugeValue, Series } from '../metrics/registry.js'
import type { AcknowledgerState } from '../pipeline/acknowledge.js'
import type { ErrorText } from '../pipeline/decided-message.js'
import type { Unfinished } from '../pipeline/lifecycle.js'
import type { TargetState } from '../pipeline/target-state.js'
import type { Settings } from '../process/settings.js'
import type { EventMessage } from './event-message.js'
import type { RefusedMessage } from './refused-message.js'
import type { AttemptMadeMessage, CompletedMessage } from './tap-message.js'
import type { AttemptedMessage, AttemptMessage, OutcomeMessage } from './wire.js'

/** A config for a worker: the texts that the primary process has read. */
export interface ConfigMessage {
  /** The number of this config: it increases with each config that is prepared. */
  readonly generation: number
  readonly revision: string
  readonly contents: readonly (readonly [path: string, text: string])[]
  /** By the names of the pipelines. */
  readonly targetStates: { readonly [pipeline: string]: TargetState }
}

/** A stage of a pipeline, by their names. */
export interface StageRef {
  readonly pipeline: string
  readonly stage: string
}

/** The first message to a worker: everything that it needs to start. */
export interface StartMessage {
  readonly kind: 'start'
  /** From 1 on; the log names it. */
  readonly worker: number
  /** How many workers share the limits of the process. */
  readonly workers: number
  /** Of the process, with the port that was bound. */
  readonly settings: Settings
  readonly config: ConfigMessage
  /** Levels of loggers that operators have changed, oldest first. */
  readonly levels: readonly (readonly [name: string, level: string])[]
  readonly watched: boolean
}

/** The primary process waits for the response. */
export type Request =
  | StartMessage
  | {
      readonly kind: 'prepare'
      readonly config: ConfigMessage
      /** Stages to create again although their config is unchanged. */
      readonly restart: readonly StageRef[]
    }
  | { readonly kind: 'quiesce' }
  | { readonly kind: 'report' }
  /** The refused requests that it has not sent yet come in a message of their own. */
  | { readonly kind: 'refused' }
  /** A question of an operator about a pipeline that the worker has whole. */
  | { readonly kind: 'ledger'; readonly pipeline: string; readonly question: LedgerQuestion }
  /** The worker ends once every event in flight has its response. */
  | { readonly kind: 'stop' }

/** The results of questions about the ledger of a worker. */
export interface LedgerResults {
  /** Without the failed acknowledgements that others have kept. */
  readonly report: LedgerReport
  /** The failed acknowledgements of all instances. */
  readonly failed: LedgerReport['failed']
  readonly instances: LedgerInstances
  readonly partitions: readonly PartitionProgress[]
  readonly acknowledgers: readonly AcknowledgerState[]
  /** How many failed acknowledgements are pending again. */
  readonly retryFailed: number
}

export type LedgerQuestion = keyof LedgerResults

/** A message of an operator to every worker, including those that start later. */
export type Broadcast =
  | { readonly kind: 'target-state'; readonly pipeline: string; readonly targetState: TargetState }
  | { readonly kind: 'level'; readonly name: string; readonly level: string }
  | { readonly kind: 'renew-certificates' }
  /** Whether somebody watches events with a tap. */
  | { readonly kind: 'watched'; readonly watched: boolean }

export type ToWorker =
  | OutcomeMessage
  | AttemptMessage
  | Broadcast
  | { readonly kind: 'request'; readonly number: number; readonly request: Request }
  | { readonly kind: 'commit' }
  | { readonly kind: 'rollback' }
  /** The shutdown no longer waits for anything. */
  | { readonly kind: 'deadline' }

/** To the request of this number. */
export interface Response extends Responded {
  readonly kind: 'response'
  readonly number: number
  readonly error?: ErrorText
}

export interface Responded {
  /** The address that the worker listens on, for `start`. */
  readonly url?: string
  /** For `ledger`. */
  readonly result?: LedgerResults[LedgerQuestion]
  /** The work that its whole pipelines left, for `stop`. */
  readonly unfinished?: readonly Unfinished[]
}

export type ToPrimary =
  | EventMessage
  | AttemptedMessage
  | Response
  /** The last event under this config has ended. */
  | { readonly kind: 'drained'; readonly generation: number }
  | { readonly kind: 'report'; readonly report: Report }
  | RefusedMessage
  | CompletedMessage
  | AttemptMadeMessage
  /** A line of its log. */
  | { readonly kind: 'line'; readonly line: string }

/** The state of a worker. `counts` start again with each report. */
export interface Report {
  readonly counts: readonly Series[]
  readonly gauges: readonly GaugeValue[]
  readonly notReady: readonly NotReady[]
}

/** Why a part of a pipeline takes no events, in a sentence. */
export interface NotReady {
  readonly pipeline: string
  /** A stage by its name; undefined for the ledger. */
  readonly part?: string
  readonly reason: string
}

export const filesOf = ({ revision, contents }: ConfigMessage): CheckedFiles => ({
  revision,
  watched: [],
  contents: new Map(contents),
})

/** The share of each worker in a limit of the process, rounded up so that none is 0. */
export const shareOf = (limit: number, workers: number): number => Math.ceil(limit / Math.max(1, workers))
