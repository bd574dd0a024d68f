import { asHeadgateError, type ErrorCode, HeadgateError, type Violation } from '../contract/errors.js'
import type { Attempt, Committed, Event, Outcome, RecordHeader, SinkRecord } from '../contract/index.js'

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

/** The outcome of an event from a worker. */
export interface OutcomeMessage {
  readonly kind: 'outcome'
  readonly number: number
  readonly outcome:
    | Exclude<Outcome, { readonly error: unknown }>
    | {
        readonly kind: 'rejected' | 'unavailable'
        readonly id?: string | undefined
        readonly error: ErrorText
      }
  /** The id of its request in the log of the primary process. */
  readonly requestId?: string | undefined
}

export const toOutcomeMessage = (
  number: number,
  outcome: Outcome,
  requestId: string | undefined,
): OutcomeMessage => ({
  kind: 'outcome',
  number,
  outcome:
    'error' in outcome ? { kind: outcome.kind, id: outcome.id, error: toErrorText(outcome.error) } : outcome,
  requestId,
})

export const fromOutcomeMessage = ({ outcome }: OutcomeMessage): Outcome =>
  'error' in outcome ? { kind: outcome.kind, id: outcome.id, error: fromErrorText(outcome.error) } : outcome

/**
 * Has a worker make one attempt at acknowledging. The channel keeps the order of commits and attempts, so that both processes
 * mean the same stage.
 */
export interface AttemptMessage {
  readonly kind: 'attempt'
  /** The result has the same number. */
  readonly number: number
  readonly pipeline: string
  /** Index of the post-commit stage in the pipeline. */
  readonly stage: number
  readonly committed: Committed
}

/** The result of an attempt. */
export interface AttemptedMessage {
  readonly kind: 'attempted'
  readonly number: number
  /** Absent if it succeeded. */
  readonly failed?: FailedText
}

interface FailedText {
  readonly kind: 'retry' | 'give-up'
  readonly error: ErrorText
  readonly after?: number
  readonly throttled?: boolean
}

/** `plugin`: the one that made the attempt. */
export function toAttemptedMessage(number: number, attempt: Attempt, plugin: string): AttemptedMessage {
  if (attempt.kind === 'acknowledged') return { kind: 'attempted', number }
  const error = toErrorText(asHeadgateError(attempt.error, plugin))
  return { kind: 'attempted', number, failed: { ...attempt, error } }
}

export function fromAttemptedMessage({ failed }: AttemptedMessage): Attempt {
  return failed === undefined ? { kind: 'acknowledged' } : { ...failed, error: fromErrorText(failed.error) }
}

/** A record in a message from a worker; the message also has the bytes of the event. */
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

/** Milliseconds by which `performance.now` of this process is behind the clock that all processes of a machine share. */
const BEHIND = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/** Converts a time of `performance.now` to the clock that all processes of a machine share, and back. */
export const toSharedClock = (ms: number): number => ms + BEHIND
export const fromSharedClock = (ms: number): number => ms - BEHIND
