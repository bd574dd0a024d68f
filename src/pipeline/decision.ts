import type { HeadgateError } from '../contract/errors.js'
import type { Event, Handshake, SinkRecord } from '../contract/index.js'

/** The operator's choice for bad data: the setting `onError` of a stage. */
export type OnError = 'reject' | 'dead-letter' | 'drop'

/** A stage of a pipeline. */
export interface StageRef {
  readonly pipeline: string
  /** As `transform.1.route`: unique in the pipeline. */
  readonly stage: string
  readonly plugin: string
  readonly onError: OnError
}

/**
 * `reject`: bad data, the sender receives 4xx. `limit`: too many requests, the sender receives 429. `unavailable`: a fault of ours, the
 * sender receives 503.
 */
export interface Refusal {
  readonly kind: 'reject' | 'limit' | 'unavailable'
  readonly error: HeadgateError
}

/** The outcome of each kind of refusal. */
export const REFUSED = { reject: 'rejected', limit: 'limited', unavailable: 'unavailable' } as const

export const isRefusal = <Other extends { readonly kind: string }>(
  decision: Refusal | Other,
): decision is Refusal => decision.kind in REFUSED

export interface DeadLettered {
  readonly kind: 'dead-letter'
  readonly error: HeadgateError
  readonly by: StageRef
}

export interface Passed<Value> {
  readonly kind: 'pass'
  readonly value: Value
}

/** The result of one stage for one event. */
export type Decision<Value> = Passed<Value> | { readonly kind: 'drop' } | Refusal | DeadLettered

/**
 * The result of `decide` for a request. A plain value, so that it can be sent or written to a topic, and `commit` can act on it
 * in another process.
 */
export type Decided =
  /** The request did not become an event. */
  { readonly event: undefined; readonly verdict: Refusal | Handshake } | DecidedEvent

export interface DecidedEvent {
  /** As it was received, with the route that was chosen for its record. */
  readonly event: Event
  /** Of the bytes as they were received. */
  readonly digest: string
  readonly verdict: EventVerdict
}

export type EventVerdict =
  | { readonly kind: 'send'; readonly record: SinkRecord }
  | { readonly kind: 'drop' }
  | Refusal
  | DeadLetterVerdict

export interface DeadLetterVerdict {
  readonly kind: 'dead-letter'
  readonly record: SinkRecord
  readonly error: HeadgateError
  /** The stage that turned the event away, by name. */
  readonly stage: string
}
