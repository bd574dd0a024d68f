import type { HeadgateError } from './errors.js'
import type { HttpResponse } from './http.js'

/** A parsed JSON document that still has its bytes. */
export interface JsonBody {
  /** JSON: as received, as decoded from the original, or as a transform wrote it. */
  readonly bytes: Buffer
  /** The parsed value. Never changed in place. */
  readonly value: unknown
  /** The body as received, if that was not JSON; undefined again in a body that a transform wrote. */
  readonly original?: Original | undefined
  /** The bytes of the value at a JSON Pointer, exactly as they are in `bytes`; undefined if there is none. */
  slice(pointer: JsonPointer): Buffer | undefined
}

/** A body that was decoded to JSON. */
export interface Original {
  /** The media type by which it is decoded, with the parameters that this needs. */
  readonly type: string
  readonly bytes: Buffer
}

/** The bytes of a body as they were received, or as a transform wrote them. */
export const receivedBytes = ({ bytes, original }: Pick<JsonBody, 'bytes' | 'original'>): Buffer =>
  original === undefined ? bytes : original.bytes

/** A JSON Pointer (RFC 6901), compiled once: reads a part of a value. `json/pointer.ts` makes them. */
export interface JsonPointer {
  readonly text: string
  /** The reference tokens, unescaped. */
  readonly tokens: readonly string[]
  read(value: unknown): unknown
}

/** Where a record goes. Without a partition, the Murmur2 hash of the key decides, as in the Java client. */
export interface Target {
  readonly topic: string
  readonly partition?: number
}

/** The parts of a request that stages read. A header or parameter that the request lacks is absent. */
export interface RequestParts {
  readonly method?: string
  /** Without the query. */
  readonly path?: string
  /** By lower-case name. The values of a header that was sent several times are joined with `, `. */
  readonly headers?: { readonly [name: string]: string }
  /** The parameters of the query, decoded. Several values of one are joined with `, `. */
  readonly query?: { readonly [name: string]: string }
}

/** An event in the pipeline. A transform returns a changed copy; no stage changes it in place. */
export interface Event {
  /** Constant across redeliveries of the same event. */
  readonly id: string
  readonly body: JsonBody
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  /** A valid W3C trace context of the sender. */
  readonly traceparent?: string
  /** The data that tracing systems add to it; valid too, and never without it. */
  readonly tracestate?: string
  /** The parts of the request that the `reads` of the later stages name; absent if they name none. Headgate sets it. */
  readonly request?: RequestParts
  /** Set by the routing transform. */
  readonly route?: { readonly name: string; readonly target: Target }
}

/** A copy with a target. The members are set one by one: of an event that is spread, V8 makes an object in dictionary mode. */
export function withRoute(event: Event, route: NonNullable<Event['route']>): Event {
  const { id, body, receivedAt, traceparent, tracestate, request } = event
  const copy: { -readonly [Member in keyof Event]: Event[Member] } = { id, body, receivedAt, route }
  if (traceparent !== undefined) copy.traceparent = traceparent
  if (tracestate !== undefined) copy.tracestate = tracestate
  if (request !== undefined) copy.request = request
  return copy
}

/**
 * The response to a request that brings no event: with it a sender registers the URL, or asks whether somebody answers there who
 * knows the secret.
 */
export interface Handshake {
  readonly kind: 'handshake'
  /** How the sender asks, for the log: `query`, `body`. */
  readonly form: string
  readonly response: HttpResponse
}

export const isHandshake = (received: Event | Handshake): received is Handshake => 'response' in received

/** The record for Kafka. */
export interface SinkRecord {
  readonly target: Target
  readonly key: Buffer | null
  readonly value: Buffer
  readonly headers: readonly RecordHeader[]
}

export interface RecordHeader {
  readonly name: string
  readonly value: string
}

/** The proof that a record is durable. */
export interface Receipt {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** The result of an event. Every received event has exactly one. */
export type Outcome =
  | {
      readonly kind: 'delivered' | 'duplicate' | 'dead-lettered'
      readonly id: string
      readonly receipt: Receipt
    }
  /** It is in the inbox; the receipt is its place there. */
  | { readonly kind: 'accepted'; readonly id: string; readonly receipt: Receipt }
  | { readonly kind: 'dropped'; readonly id: string }
  | (Handshake & { readonly id: undefined })
  /** Bad data: retrying does not help. */
  | { readonly kind: 'rejected'; readonly id: string | undefined; readonly error: HeadgateError }
  /** The sender sends more than it may: it keeps the event and tries again. */
  | { readonly kind: 'limited'; readonly id: string | undefined; readonly error: HeadgateError }
  /** A fault on our side: the sender keeps the event and tries again. */
  | { readonly kind: 'unavailable'; readonly id: string | undefined; readonly error: HeadgateError }

export const OUTCOMES = [
  'accepted',
  'delivered',
  'duplicate',
  'dropped',
  'dead-lettered',
  'handshake',
  'rejected',
  'limited',
  'unavailable',
] as const
