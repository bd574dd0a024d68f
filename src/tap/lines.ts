import { ERRORS, type ErrorCode } from '../contract/errors.js'
import type { Outcome, Receipt } from '../contract/index.js'
import { type MaskPath, masked, withoutHidden } from '../lib/json/masked.js'
import type { CompletedEvent } from '../pipeline/taps.js'
import { longestForm, redactor } from '../process/redact.js'

/** What is sent to who taps: one JSON object a line. */
export type TapLine =
  /** The first one: from now on events are seen. */
  | { readonly kind: 'tapping'; readonly pipelines: readonly string[]; readonly rate: number }
  | TapEvent
  /** Events that were wanted and are not shown, since the last line of this kind. */
  | { readonly kind: 'skipped'; readonly count: number }
  /** Nothing came, and the connection stands. */
  | { readonly kind: 'idle' }
  /** The last one. */
  | { readonly kind: 'end'; readonly why: 'limit' | 'time' | 'stopping' | 'failed' }

export interface TapEvent {
  readonly kind: 'event'
  /** When its path ended, as ISO 8601 writes it. */
  readonly time: string
  readonly pipeline: string
  /** Absent where the event has none, or was refused before it was known. */
  readonly id?: string
  readonly outcome: Outcome['kind']
  /** The rule that decided. A duplicate is not routed again and has none. */
  readonly route?: string
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  /** Milliseconds from received to the outcome. */
  readonly ms: number
  readonly code?: ErrorCode
  readonly message?: string
  /** Bytes of the body; absent where it did not become an event. */
  readonly bytes?: number
  /** The body as compact JSON, or its beginning. */
  readonly payload?: string
  /** There is more of it. */
  readonly cut?: true
}

/** How much of an event is shown. */
export interface TapView {
  /** Bytes of the body; 0 leaves it out. */
  readonly payload: number
  /** Places that are masked, beside those of the config. */
  readonly masks: readonly MaskPath[]
}

const LONGEST_MESSAGE = 1000

/** An event as it is shown. `secrets`: what must not be, and what stands for it. */
export function eventLine(
  completed: CompletedEvent,
  rule: string | undefined,
  view: TapView,
  secrets: ReadonlyMap<string, string>,
): TapEvent {
  const { pipeline, outcome, event, error, at, took } = completed
  const redact = redactor(secrets)
  const body = looksAtBody(completed, view) ? bodyOf(completed, view) : undefined
  const hide = (text: string) => redact(withoutHidden(text, body?.hidden ?? new Set()))
  const receipt = 'receipt' in outcome ? outcome.receipt : undefined
  return {
    kind: 'event',
    time: new Date(at).toISOString(),
    pipeline: pipeline.name,
    ...(outcome.id !== undefined && { id: hide(outcome.id) }),
    outcome: outcome.kind,
    // Both are names that the config gives.
    ...(rule !== undefined && { route: rule }),
    ...(receipt !== undefined && receiptOf(receipt)),
    ms: Math.round(took * 10) / 10,
    ...(error !== undefined && {
      code: error.code,
      // What of a body that nobody could read must not be shown, nobody knows.
      message:
        hidesSome(completed, view) && body === undefined
          ? ERRORS[error.code].meaning
          : hide(error.message).slice(0, LONGEST_MESSAGE),
    }),
    ...(event !== undefined && { bytes: event.body.bytes.length }),
    ...(view.payload > 0 && body !== undefined && beginning(body.text, view.payload, secrets, redact)),
  }
}

const receiptOf = ({ topic, partition, offset }: Receipt) => ({ topic, partition, offset })

/** Whether it costs what a walk through the body costs. */
export const looksAtBody = (completed: CompletedEvent, view: TapView): boolean =>
  completed.event !== undefined && (view.payload > 0 || hidesSome(completed, view))

const hidesSome = ({ pipeline }: CompletedEvent, { masks }: TapView): boolean =>
  pipeline.masks.length > 0 || masks.length > 0

/** Undefined where it is not JSON, or nested too deeply to be walked through. */
function bodyOf(
  { event, pipeline }: CompletedEvent,
  { masks }: TapView,
): ReturnType<typeof masked> | undefined {
  try {
    return masked(event?.body.bytes.toString('utf8') ?? '', [...pipeline.masks, ...masks])
  } catch {
    return undefined
  }
}

/** So much of a text that no secret is cut in two: half of it would not be recognised as one. */
function beginning(
  text: string,
  most: number,
  secrets: ReadonlyMap<string, string>,
  redact: (text: string) => string,
): Pick<TapEvent, 'payload' | 'cut'> {
  const longest = longestForm(secrets)
  const looked = redact(text.slice(0, most + longest))
  const whole = text.length <= most + longest
  // What is behind may have moved up, and its end may be half a secret.
  const payload = upTo(most, whole ? looked : looked.slice(0, Math.max(0, looked.length - longest)))
  return { payload, ...((!whole || payload.length < looked.length) && { cut: true }) }
}

/** So many bytes of UTF-8 at most, and no half of a character. */
function upTo(most: number, text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= most) return text
  let end = most
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

/** Which events are wanted: of each list one has to fit, and an empty one fits all. */
export interface TapFilter {
  readonly pipelines: readonly string[]
  readonly outcomes: readonly Outcome['kind'][]
  /** Names of rules. */
  readonly routes: readonly string[]
  readonly ids: readonly string[]
  readonly codes: readonly ErrorCode[]
}

/** All but the rule, which it may take a while to learn. */
export const fits = (
  { pipelines, outcomes, ids, codes }: TapFilter,
  { pipeline, outcome, error }: CompletedEvent,
): boolean =>
  isOne(pipelines, pipeline.name) &&
  isOne(outcomes, outcome.kind) &&
  isOne(ids, outcome.id) &&
  isOne(codes, error?.code)

export const fitsRule = ({ routes }: TapFilter, rule: string | undefined): boolean => isOne(routes, rule)

const isOne = <Value>(wanted: readonly Value[], value: Value | undefined): boolean =>
  wanted.length === 0 || (value !== undefined && wanted.includes(value))
