import type { Outcome, Rule, Target } from '../contract/index.js'
import type { ScenarioText } from '../dry-run/dry-run-process.js'
import type { ExplanationJson } from '../dry-run/explanation.js'
import type { LedgerInstances, LedgerReport, TopicProgress } from '../ledger/ledger.js'
import type { RefusedLine } from '../tap/line.js'

export type { Findings } from '../config/check-process.js'
export type { Finding } from '../config/problem.js'
export type { Destination, Diff, Move } from '../dry-run/compare.js'
export type { ExplanationJson, LedgerInstances, TopicProgress }

/** The bodies of responses that the console reads. Types only, because the program of the console is built from them too. */

/** The pipelines of the running config. */
export interface Pipelines {
  readonly pipelines: readonly PipelineShape[]
  /** Whether the API may change the config and files beside it. */
  readonly writable: boolean
}

/** A pipeline as its config describes it. */
export interface PipelineShape {
  readonly name: string
  readonly state: 'RUNNING' | 'PAUSED' | 'STOPPED'
  /** Several instances share its events, so the figures of each are a part of the whole. */
  readonly shared: boolean
  readonly source: StageShape
  readonly transforms: readonly (StageShape & { readonly rules: readonly Rule[] })[]
  readonly sink: StageShape
  readonly deadLetter?: Target
  readonly postCommit: readonly StageShape[]
}

export interface StageShape {
  /** As in metrics and logs, such as `transform.1.route`. */
  readonly stage: string
  readonly plugin: string
}

/** The traffic of the last 15 minutes. */
export interface Traffic {
  /** The time of the response in ISO 8601. */
  readonly at: string
  /** Digest of the running config. */
  readonly revision: string
  /** Why Headgate cannot take events now; empty if it can. */
  readonly notReady: readonly string[]
  /** Seconds between two points. */
  readonly step: number
  readonly pipelines: readonly PipelineTraffic[]
}

export interface PipelineTraffic {
  readonly pipeline: string
  readonly state: PipelineShape['state']
  readonly outcomes: { readonly [outcome in Outcome['kind']]: Flow }
  /** From receiving an event to its commit in Kafka, in the last minute. */
  readonly latency: Latency | null
  /** By name of the stage. */
  readonly stages: { readonly [stage: string]: StageTraffic }
  /** By name of the rule; those without an event are left out. Redeliveries count again. */
  readonly rules: { readonly [rule: string]: Flow }
  readonly deadLetters: readonly { readonly stage: string; readonly code: string; readonly count: number }[]
  /** By status. */
  readonly responses: { readonly [status: string]: Flow }
  readonly acknowledgements: Acknowledgements
  /** Events without an outcome yet. */
  readonly inFlight: number
  /** At this limit senders get 503; 0 if there is none. */
  readonly inFlightLimit: number
  readonly points: Points
}

/** Events a second lately, and in the last 15 minutes. */
export interface Flow {
  readonly rate: number
  readonly count: number
}

/** In milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

export interface StageTraffic {
  readonly outcomes: { readonly [outcome: string]: Flow }
  readonly latency: Latency | null
}

export interface Acknowledgements {
  readonly attempts: { readonly [outcome in 'acknowledged' | 'retry' | 'gave-up']: Flow }
  /** From the commit in Kafka to the acknowledgement, in the last minute. */
  readonly latency: Latency | null
  readonly pending: number
  /** At this limit senders get 503. */
  readonly pendingLimit: number
  readonly oldestSeconds: number
  /** No longer retried. */
  readonly failed: number
}

/** Oldest first; in a stream, only those that are new. */
export interface Points {
  /** Events in each step. */
  readonly outcomes: { readonly [outcome in Outcome['kind']]: readonly number[] }
  readonly p50: readonly (number | null)[]
  readonly p99: readonly (number | null)[]
  readonly acknowledged: readonly number[]
  readonly pending: readonly number[]
}

/** Requests that got an error response, newest first; in a stream, only those that are new. */
export interface RefusedList {
  readonly refused: readonly RefusedLine[]
}

/** One of them, with its body and the advice for its code. */
export interface RefusedDetail extends RefusedLine {
  readonly action?: string
}

/** A scenario of an event that was tried. */
export interface SavedScenario extends ScenarioText {
  /** Relative to the config; null if it was not written. */
  readonly file: string | null
}

/** Why the running config decides as it does on an event that a tap has shown. */
export interface EventExplanation extends Pick<ExplanationJson, 'revision' | 'route' | 'steps'> {}

/** The ledger of a pipeline, as `headgate ledger` shows it. */
export interface LedgerStatus extends LedgerReport {
  /** All partitions that instances share, whichever owns them; absent if Kafka does not respond. */
  readonly inbox?: readonly TopicProgress[]
}

/** Selects dead letters, in queries and in bodies of requests. */
export interface DeadLetterSelection {
  /** As `0:12`; only these if present. */
  readonly positions?: readonly string[]
  readonly code?: string
  /** A stage, or the name of a plugin. */
  readonly stage?: string
  readonly rule?: string
  /** All of it. */
  readonly id?: string
  /** In the id, the code or the message. */
  readonly text?: string
  /** In ISO 8601, or how long ago, as `24h`. */
  readonly since?: string
  readonly until?: string
  /** Those that would pass, or would not. */
  readonly passes?: boolean
}

/** The acknowledgements of a pipeline. */
export interface AcknowledgementReport {
  readonly pipeline: string
  readonly state: PipelineShape['state']
  /** By the age of their event. */
  readonly pending: LedgerReport['pending']
  /** No longer retried; the oldest are named. */
  readonly failed: LedgerReport['failed']
  readonly stages: readonly AcknowledgingStage[]
}

export interface AcknowledgingStage extends StageShape {
  /** Attempts under way. */
  readonly active: number
  readonly isHeld: boolean
  /** The sender does not respond: only trials are made. */
  readonly isDown: boolean
  /** Attempts a second that are allowed now; absent if there is no limit. */
  readonly limit?: number
  /** Seconds of a pause that the sender has asked for. */
  readonly pausedSeconds: number
  /** The gauges of the plugin, such as the expiry of its token. */
  readonly figures: readonly { readonly name: string; readonly help: string; readonly value: number }[]
}

/** The config file. Placeholders as `[hidden 0123456789ab]` stand for secrets that are written in it. */
export interface ConfigText {
  /** The path as it is shown to people. */
  readonly file: string
  /** The text to edit. */
  readonly text: string
  /** `running`: the file has a syntax error, and the text is that of the running config. */
  readonly shown: 'file' | 'running'
  /** The text from which the running config was read. */
  readonly running: string
  /** Of the running config. */
  readonly revision: string
  /** Of the file as it is, for If-Match. */
  readonly tag: string
  readonly writable: boolean
  /** Why the file is not what runs; empty if it is. */
  readonly refused: readonly string[]
  /** Configs that ran until the API changed them, newest first. */
  readonly earlier: readonly Omit<EarlierText, 'text'>[]
}

export interface EarlierText {
  readonly revision: string
  /** In ISO 8601. */
  readonly until: string
  readonly text: string
}

/** The result of a change that is in effect. */
export interface AppliedConfig {
  readonly revision: string
  /** False if the file is other than before, but not what runs. */
  readonly changed: boolean
}
