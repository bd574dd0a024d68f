import type { CheckedFiles } from '../config/read.js'
import type { ErrorCode, Violation } from '../contract/errors.js'
import type { Receipt, RecordHeader } from '../contract/index.js'
import type { Settings } from '../process/settings.js'
import type { ReceivedBody } from '../tap/line.js'
import type { LetterFilter } from './filter.js'
import type { LetterStatus } from './find.js'

/** A dead letter in a list, without anything that the pipeline masks. */
export interface LetterLine {
  /** Partition and offset, as `0:12`. */
  readonly position: string
  /** In ISO 8601. */
  readonly time: string
  readonly id: string
  readonly stage: string
  readonly rule?: string
  readonly code: string
  readonly message: string
  readonly status: LetterStatus['kind']
  /** Of the record that it has become. */
  readonly receipt?: Receipt
  /** Why it was discarded, and by which process. */
  readonly discarded?: { readonly reason: string; readonly by: string; readonly time: string }
  /** With the running config. */
  readonly prospect: ProspectLine
}

export type ProspectLine =
  | { readonly kind: 'passes'; readonly topic: string; readonly partition?: number }
  | { readonly kind: 'dropped' }
  /** A failed acknowledgement: its event has a record. */
  | { readonly kind: 'none' }
  | { readonly kind: 'fails'; readonly code: string; readonly message: string }

/** Everything about one dead letter. */
export interface LetterDetail extends LetterLine {
  readonly topic: string
  /** Of the config under which it was written. */
  readonly revision?: string
  readonly violations: readonly Violation[]
  readonly action?: string
  readonly key?: string
  readonly headers: readonly RecordHeader[]
  /** Of the body. */
  readonly bytes: number
  /** The body as JSON, or its beginning. */
  readonly payload?: string
  readonly cut?: true
  /** If the body is not JSON; the payload is decoded from it. */
  readonly received?: ReceivedBody
  /** The body is shown as a whole and as it is, so it can be changed and replayed. */
  readonly editable: boolean
}

/** Selects dead letters of a snapshot. */
export interface LetterSelection extends LetterFilter {
  /** Those that would pass, or would not. */
  readonly passes?: boolean
}

/** How many dead letters have a value. */
export interface ValueCount {
  readonly value: string
  readonly count: number
}

export interface LetterPage {
  /** Newest first. */
  readonly letters: readonly LetterLine[]
  /** Those that the selection matches, over all pages. */
  readonly total: number
  readonly passing: number
  /** The values to choose from: of those that the other filters of the selection match. The most frequent first. */
  readonly codes: readonly ValueCount[]
  readonly stages: readonly ValueCount[]
  readonly rules: readonly ValueCount[]
  /** When the topic was read, in ISO 8601. */
  readonly readAt: string
  /** As `until`, in ISO 8601: none that came later is among them. */
  readonly newest: string
  /** Only the newest of the topic were looked at. */
  readonly limited: boolean
}

/** The result of a dry run of a replay or a discard. */
export interface RunPlan {
  /** Dead letters that would be sent or discarded. */
  readonly count: number
  /** Of the records of a replay. */
  readonly targets: readonly {
    readonly topic: string
    readonly partition?: number
    readonly records: number
  }[]
  readonly refused: Refusals
}

/** Dead letters that stay as they are, and why; the first of them are named. */
export interface Refusals {
  readonly count: number
  readonly first: readonly { readonly position: string; readonly id: string; readonly why: string }[]
}

/** A replay or a discard. */
export interface RunState {
  readonly kind: 'replay' | 'discard'
  readonly state: 'running' | 'ended'
  readonly done: number
  readonly total: number
  /** Something that it waits for. */
  readonly waits?: string
  readonly result?: RunResult
}

export interface RunResult {
  /** Sent or discarded. */
  readonly settled: number
  readonly settledByOthers: number
  readonly refused: Refusals
  /** May have been sent; the next replay finds out. */
  readonly inDoubt: number
  readonly notTried: number
  /** Why it ended before all were tried. */
  readonly reason?: string
}

/** A request that cannot be done, with the status that a client of the admin API gets. */
export interface Problem {
  readonly status: 404 | 409
  readonly problem: string
}

/** The first message to the process of a pipeline's dead letters. */
export interface LettersStart {
  readonly kind: 'start'
  readonly settings: Settings
  readonly files: Omit<CheckedFiles, 'contents'> & {
    readonly contents: readonly (readonly [string, string])[]
  }
  readonly pipeline: string
}

export type LettersRequest =
  | {
      readonly kind: 'list'
      readonly selection: LetterSelection
      readonly status: 'open' | 'settled'
      readonly offset: number
      readonly limit: number
      /** Reads the topic again. */
      readonly refresh: boolean
    }
  | { readonly kind: 'show'; readonly position: string }
  | { readonly kind: 'plan' | 'replay'; readonly selection: LetterSelection; readonly edited?: string }
  | { readonly kind: 'plan-discard'; readonly selection: LetterSelection }
  | { readonly kind: 'discard'; readonly selection: LetterSelection; readonly reason: string }
  | { readonly kind: 'stop' }

export type ToLetters =
  | LettersStart
  | { readonly kind: 'request'; readonly number: number; readonly request: LettersRequest }

export type FromLetters =
  | { readonly kind: 'response'; readonly number: number; readonly result: object }
  | { readonly kind: 'failure'; readonly number: number; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'run'; readonly run: RunState }
