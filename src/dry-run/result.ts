import type { ErrorCode, Violation } from '../contract/errors.js'
import type { Explained, HttpResponse, Outcome, RecordHeader } from '../contract/index.js'

/** A request as a sender would make it. */
export interface DryRunRequest {
  /** Default: the first method that the source accepts. */
  readonly method?: string
  /** Default: the path of the source. */
  readonly path?: string
  /** The text after the question mark of the URL. */
  readonly query?: string
  /** Names in any case. */
  readonly headers: { readonly [name: string]: string }
  readonly body: Buffer
  /** Milliseconds since the epoch. Default: now. */
  readonly receivedAt?: number
}

/** A record that would be written. */
export interface DryRunRecord {
  readonly topic: string
  /** Undefined if the hash of the key decides and the number of partitions is unknown. */
  readonly partition: number | undefined
  readonly key: string | null
  readonly headers: readonly RecordHeader[]
  readonly value: Buffer
  readonly deadLetter: boolean
}

/** A request that a post-commit stage would send. Resolved references are shown as the references. */
export interface DryRunCall {
  /** Such as `post-commit.0.cxone-ack`. */
  readonly stage: string
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** The decision of a stage about the event. */
export interface Step {
  /** Such as `source.http-webhook`, `transform.1.route`, `sink.kafka`, `dead-letter` or `post-commit.0.cxone-ack`. */
  readonly stage: string
  readonly plugin: string
  /** `give-up`: a post-commit stage cannot build its request. */
  readonly decision:
    | 'pass'
    | 'drop'
    | 'reject'
    | 'limit'
    | 'dead-letter'
    | 'unavailable'
    | 'handshake'
    | 'give-up'
  readonly error?: {
    readonly code: ErrorCode
    readonly message: string
    readonly violations: readonly Violation[]
  }
  /** The rule that decided, in a stage that has rules. */
  readonly rule?: string
  /** The values that the stage read; empty if the plugin has no `explain`. */
  readonly details: readonly Explained[]
}

/** The full result of a dry run of one event. */
export interface DryRunResult {
  readonly pipeline: string
  readonly response: HttpResponse
  /** Its receipt has placeholders: partition -1 if it is unknown, and offset 0. */
  readonly outcome: Outcome
  readonly steps: readonly Step[]
  readonly records: readonly DryRunRecord[]
  readonly calls: readonly DryRunCall[]
  /** The name of the rule that decided, or `otherwise`; undefined if the event did not reach the rules. */
  readonly route: string | undefined
  /** Of a request with several events: each of them. The rest of this result is that of the first that is refused, or of the first. */
  readonly items?: readonly DryRunResult[]
}
