import type { ErrorCode, Violation } from '../contract/errors.js'
import type { Explained, HttpResponse, Outcome, RecordHeader } from '../contract/index.js'

/** A request as a sender would make it. */
export interface DryRunRequest {
  /** The first method that the source takes where absent. */
  readonly method?: string
  /** Names in any case. */
  readonly headers: { readonly [name: string]: string }
  readonly body: Buffer
  /** Milliseconds since the epoch; now where absent. */
  readonly receivedAt?: number
}

/** A record that would be written. */
export interface DryRunRecord {
  readonly topic: string
  /** Undefined where the hash of the key decides and how many partitions the topic has was not given. */
  readonly partition: number | undefined
  readonly key: string | null
  readonly headers: readonly RecordHeader[]
  readonly value: Buffer
  readonly deadLetter: boolean
}

/** A request that a post-commit stage would make. Values that came from a provider are shown as their references. */
export interface DryRunCall {
  /** As `post-commit.0.cxone-ack`. */
  readonly stage: string
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** What a stage made of the event. */
export interface Step {
  /** As `source.http-webhook`, `transform.1.route`, `sink.kafka`, `dead-letter`, `post-commit.0.cxone-ack`. */
  readonly stage: string
  readonly plugin: string
  /** `give-up`: a post-commit stage that could not make its request. */
  readonly decision: 'pass' | 'drop' | 'reject' | 'dead-letter' | 'unavailable' | 'give-up'
  readonly error?: {
    readonly code: ErrorCode
    readonly message: string
    readonly violations: readonly Violation[]
  }
  /** The rule that decided, in a stage that has rules. */
  readonly rule?: string
  /** What the stage looked at; empty for a plugin that does not say. */
  readonly details: readonly Explained[]
}

/** All that would happen to one event. */
export interface DryRunResult {
  readonly pipeline: string
  readonly response: HttpResponse
  /** The receipt in it is made up: partition -1 where it is unknown, offset 0. */
  readonly outcome: Outcome
  readonly steps: readonly Step[]
  readonly records: readonly DryRunRecord[]
  readonly calls: readonly DryRunCall[]
  /** The name of the rule that decided, or `otherwise`; undefined where no rule got to decide. */
  readonly route: string | undefined
}
