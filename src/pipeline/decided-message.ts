import { type ErrorCode, HeadgateError, type Violation } from '../contract/errors.js'
import {
  type Event,
  type JsonBody,
  type JsonPointer,
  type Original,
  type RecordHeader,
  type RequestParts,
  receivedBytes,
  type SinkRecord,
} from '../contract/index.js'
import { acceptedBody } from '../lib/body/decode.js'
import type { DecidedEvent, EventVerdict, Refusal } from './decision.js'

/** A decided event, or a refusal, as JSON and parts that are bytes: for another process, or another instance. */
export interface DecidedMessage {
  readonly id: string
  readonly receivedAt: number
  readonly digest: string
  /** Of the original, if the body was decoded. */
  readonly type?: string
  readonly request?: RequestParts
  readonly route?: Event['route']
  readonly verdict: VerdictMessage
}

export type VerdictMessage =
  | { readonly kind: 'send'; readonly record: RecordMessage }
  | { readonly kind: 'drop' }
  | RefusalMessage
  | {
      readonly kind: 'dead-letter'
      readonly record: RecordMessage
      readonly error: ErrorText
      readonly stage: string
    }

export interface RefusalMessage {
  readonly kind: Refusal['kind']
  readonly error: ErrorText
}

/** An error in a message to another process. */
export interface ErrorText {
  readonly code: ErrorCode
  readonly message: string
  readonly violations?: readonly Violation[]
  readonly rule?: string
  readonly retryAfter?: number
  readonly uncertain?: true
  /** The stack of its cause, for the log. */
  readonly cause?: string
}

export function toErrorText(error: HeadgateError): ErrorText {
  const { code, message, violations, rule, retryAfter, uncertain, cause } = error
  return {
    code,
    message,
    ...(violations.length > 0 && { violations }),
    ...(rule !== undefined && { rule }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(uncertain && { uncertain }),
    ...(cause !== undefined && { cause: (cause instanceof Error && cause.stack) || String(cause) }),
  }
}

export function fromErrorText({ code, message, cause, ...details }: ErrorText): HeadgateError {
  if (cause === undefined) return new HeadgateError(code, message, details)
  const original = Object.assign(new Error(message), { stack: cause })
  return new HeadgateError(code, message, { ...details, cause: original })
}

/** A record in a message; the parts of the message begin with the bytes of the event. */
export interface RecordMessage {
  /** Absent if it is that of the route. */
  readonly target?: SinkRecord['target']
  /** Names and values alternate: this takes half as long to read as an object for each. */
  readonly headers: readonly string[]
  readonly keyed: boolean
  /** The range of the value in the body; undefined if it has bytes of its own. */
  readonly value?: readonly [start: number, end: number]
}

export function toRecordMessage(
  { target, key, value, headers }: SinkRecord,
  body: Buffer,
  route: Event['route'],
): { readonly record: RecordMessage; readonly parts: readonly Buffer[] } {
  const parts = key === null ? [body] : [body, key]
  const start = value.byteOffset - body.byteOffset
  const end = start + value.length
  const isInBody = value.buffer === body.buffer && start >= 0 && end <= body.length
  const record = {
    headers: headers.flatMap(({ name, value }) => [name, value]),
    keyed: key !== null,
    ...(target !== route?.target && { target }),
  }
  return isInBody
    ? { record: { ...record, value: [start, end] }, parts }
    : { record, parts: [...parts, value] }
}

export function toRecord(
  { target, headers, keyed, value }: RecordMessage,
  parts: readonly Buffer[],
  route: Event['route'],
): SinkRecord {
  const [body, second, third] = parts as readonly [Buffer, Buffer, Buffer]
  const own = keyed ? third : second
  return {
    target: target ?? (route as NonNullable<typeof route>).target,
    key: keyed ? second : null,
    value: value === undefined ? own : body.subarray(...value),
    headers: toHeaders(headers),
  }
}

function toHeaders(texts: readonly string[]): RecordHeader[] {
  const headers: RecordHeader[] = []
  for (let at = 0; at < texts.length; at += 2)
    headers.push({ name: texts[at] as string, value: texts[at + 1] as string })
  return headers
}

export function toDecidedMessage({ event, digest, verdict: decided }: DecidedEvent): {
  readonly message: DecidedMessage
  readonly parts: readonly Buffer[]
} {
  const { id, receivedAt, body, request, route } = event
  const { original } = body
  const { verdict, parts } = toVerdictMessage(decided, receivedBytes(body), route)
  const message: { -readonly [Member in keyof DecidedMessage]: DecidedMessage[Member] } = {
    id,
    receivedAt,
    digest,
    verdict,
  }
  if (original !== undefined) message.type = original.type
  if (request !== undefined) message.request = request
  if (route !== undefined) message.route = route
  return { message, parts }
}

function toVerdictMessage(
  verdict: EventVerdict,
  body: Buffer,
  route: Event['route'],
): { readonly verdict: VerdictMessage; readonly parts: readonly Buffer[] } {
  switch (verdict.kind) {
    case 'send': {
      const { record, parts } = toRecordMessage(verdict.record, body, route)
      return { verdict: { kind: 'send', record }, parts }
    }
    case 'dead-letter': {
      const { record, parts } = toRecordMessage(verdict.record, body, route)
      const { kind, error, stage } = verdict
      return { verdict: { kind, record, error: toErrorText(error), stage }, parts }
    }
    case 'drop':
      return { verdict, parts: [body] }
    default:
      return { verdict: toRefusalMessage(verdict), parts: [body] }
  }
}

export const toRefusalMessage = ({ kind, error }: Refusal): RefusalMessage => ({
  kind,
  error: toErrorText(error),
})

/** `trace`: of the event. */
export function fromDecidedMessage(
  message: DecidedMessage,
  trace: Trace,
  parts: readonly Buffer[],
): DecidedEvent {
  const { digest, type, route, verdict } = message
  const [bytes] = parts as readonly [Buffer]
  const body = type === undefined ? new LazyBody(bytes) : new LazyDecodedBody({ type, bytes })
  const event = toEvent(message, trace, body)
  return { event, digest, verdict: toVerdict(verdict, parts, route) }
}

function toVerdict(verdict: VerdictMessage, parts: readonly Buffer[], route: Event['route']): EventVerdict {
  switch (verdict.kind) {
    case 'send':
      return { kind: 'send', record: toRecord(verdict.record, parts, route) }
    case 'dead-letter': {
      const { kind, record, error, stage } = verdict
      return { kind, record: toRecord(record, parts, route), error: fromErrorText(error), stage }
    }
    case 'drop':
      return verdict
    default:
      return fromRefusalMessage(verdict)
  }
}

export const fromRefusalMessage = ({ kind, error }: RefusalMessage): Refusal => ({
  kind,
  error: fromErrorText(error),
})

interface Trace {
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
}

function toEvent(
  { id, receivedAt, request, route }: DecidedMessage,
  { traceparent, tracestate }: Trace,
  body: JsonBody,
): Event {
  const event: { -readonly [Member in keyof Event]: Event[Member] } = { id, body, receivedAt }
  if (traceparent !== undefined) event.traceparent = traceparent
  if (tracestate !== undefined) event.tracestate = tracestate
  if (request !== undefined) event.request = request
  if (route !== undefined) event.route = route
  return event
}

/** Parsed lazily: only dead letters and taps need it. */
class LazyBody implements JsonBody {
  readonly original = undefined
  #parsed: JsonBody | undefined = undefined

  constructor(readonly bytes: Buffer) {}

  get value(): unknown {
    return this.#body.value
  }

  slice(pointer: JsonPointer): Buffer | undefined {
    return this.#body.slice(pointer)
  }

  get #body(): JsonBody {
    this.#parsed ??= acceptedBody(this.bytes, undefined)
    return this.#parsed
  }
}

/** Decoded lazily. */
class LazyDecodedBody implements JsonBody {
  #decoded: JsonBody | undefined = undefined

  constructor(readonly original: Original) {}

  get bytes(): Buffer {
    return this.#body.bytes
  }

  get value(): unknown {
    return this.#body.value
  }

  slice(pointer: JsonPointer): Buffer | undefined {
    return this.#body.slice(pointer)
  }

  get #body(): JsonBody {
    this.#decoded ??= acceptedBody(this.original.bytes, this.original.type)
    return this.#decoded
  }
}
