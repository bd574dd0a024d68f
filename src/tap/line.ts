import type { ErrorCode, Violation } from '../contract/errors.js'
import type { Outcome, RecordHeader } from '../contract/index.js'

/** A line of a tap: one JSON object per line. */
export type TapLine =
  /** The first line: events are shown from now on. */
  | {
      readonly kind: 'tapping'
      readonly pipelines: readonly string[]
      readonly rate: number
      /** The number of the tap, if it keeps its events for questions. */
      readonly tap?: number
    }
  | TapEvent
  /** Events that match the filter but were not shown since the last line of this kind. */
  | { readonly kind: 'skipped'; readonly count: number }
  /** Keep-alive: there were no events. */
  | { readonly kind: 'idle' }
  /** The last line. */
  | { readonly kind: 'end'; readonly why: 'limit' | 'time' | 'stopping' | 'failed' }

export interface TapEvent {
  readonly kind: 'event'
  /** Of the events of a tap that keeps them. */
  readonly number?: number
  /** Time of the outcome in ISO 8601. */
  readonly time: string
  readonly pipeline: string
  /** Absent if the event has none, or was refused before it was read. */
  readonly id?: string
  readonly outcome: Outcome['kind']
  /** Of the sender; absent if it is unknown. */
  readonly remoteAddress?: string
  /** The rule that decided. A duplicate is not routed again and has none. */
  readonly route?: string
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  /** Milliseconds from received to the outcome. */
  readonly ms: number
  readonly code?: ErrorCode
  readonly message?: string
  /** Size of the body in bytes; absent if the request did not become an event. */
  readonly bytes?: number
  /** The body as compact JSON, or its beginning. */
  readonly payload?: string
  /** The payload is truncated. */
  readonly cut?: true
}

/** A body that is not JSON, as it was received. It has one of the members `text`, `hex` and `unshown`. */
export interface ReceivedBody {
  /** The media type by which it is decoded; absent if it is not known. */
  readonly type?: string
  readonly text?: string
  /** In hexadecimal, because it is no text. */
  readonly hex?: string
  /** Only the beginning is here. */
  readonly cut?: true
  /** Why it cannot be shown. */
  readonly unshown?: string
}

/** Everything about an event that an open tap has shown and keeps. */
export interface EventDetail extends TapEvent {
  readonly number: number
  readonly traceId?: string
  /** In ISO 8601. */
  readonly receivedAt?: string
  readonly violations: readonly Violation[]
  /** If it was not JSON; the payload is decoded from it. */
  readonly received?: ReceivedBody
  /** That was written. */
  readonly record?: { readonly key?: string; readonly headers: readonly RecordHeader[] }
  /** The time in each stage; milliseconds, `from` since the event began. */
  readonly times: readonly { readonly stage: string; readonly from: number; readonly ms: number }[]
  /** At acknowledging it, so far; oldest first. */
  readonly attempts: readonly AttemptLine[]
}

export interface AttemptLine {
  readonly stage: string
  readonly outcome: 'acknowledged' | 'retry' | 'gave-up'
  /** In ISO 8601. */
  readonly time: string
  readonly ms: number
  readonly code?: ErrorCode
  readonly message?: string
}

/** A request that got an error response. */
export interface RefusedLine {
  /** No other one of the process has it. */
  readonly number: number
  /** In ISO 8601. */
  readonly time: string
  /** Absent if no pipeline listens at the path. */
  readonly pipeline?: string
  /** Method and path are absent if the bytes were no request of HTTP. */
  readonly method?: string
  readonly path?: string
  /** Of the response. */
  readonly status: number
  readonly code?: ErrorCode
  readonly message: string
  readonly violations?: readonly Violation[]
  readonly requestId?: string
  /** Of the sender; absent if it is unknown. */
  readonly remoteAddress?: string
  /** A few that tell the sender, and the form of the body. */
  readonly headers: { readonly [name: string]: string }
  /** Size of the body; absent if it was not read. */
  readonly bytes?: number
  /** The body as compact JSON or as it was, or its beginning. */
  readonly payload?: string
  /** The body in hexadecimal, or its beginning, because it is no text. */
  readonly hex?: string
  /** Only the beginning is here. */
  readonly cut?: true
  /** Why the body cannot be shown. */
  readonly unshown?: string
}
