import { ERRORS, type ErrorCode } from '../contract/errors.js'
import type { Outcome, Receipt } from '../contract/index.js'
import { type MaskPath, masked, withoutHidden } from '../lib/json/masked.js'
import type { CompletedEvent } from '../pipeline/taps.js'
import { longestForm, redactor } from '../process/redact.js'
import type { TapEvent } from './line.js'

/** The parts of an event to show. */
export interface TapView {
  /** Maximum bytes of the body; 0 omits it. */
  readonly payload: number
  /** Values to mask, in addition to those of the config. */
  readonly masks: readonly MaskPath[]
}

const LONGEST_MESSAGE = 1000

/** The line of an event. `secrets`: values to hide, with the text that replaces each. */
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
    // Not redacted: rule, topic and partition are from the config.
    ...(rule !== undefined && { route: rule }),
    ...(receipt !== undefined && receiptOf(receipt)),
    ms: Math.round(took * 10) / 10,
    ...(error !== undefined && {
      code: error.code,
      // The masked values of a body that cannot be parsed are unknown, so its message could contain them.
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

/** Whether the line needs a walk through the body, which takes time. */
export const looksAtBody = (completed: CompletedEvent, view: TapView): boolean =>
  completed.event !== undefined && (view.payload > 0 || hidesSome(completed, view))

const hidesSome = ({ pipeline }: CompletedEvent, { masks }: TapView): boolean =>
  pipeline.masks.length > 0 || masks.length > 0

/** Undefined if it is not JSON, or nested too deeply. */
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

/** The beginning of a text, cut so that no secret is split: half of a secret would not be recognised. */
function beginning(
  text: string,
  most: number,
  secrets: ReadonlyMap<string, string>,
  redact: (text: string) => string,
): Pick<TapEvent, 'payload' | 'cut'> {
  const longest = longestForm(secrets)
  const redacted = redact(text.slice(0, most + longest))
  const whole = text.length <= most + longest
  // Redaction shortens the text, so its end, which may be half of a secret, can move into the first `most` bytes.
  const payload = upTo(most, whole ? redacted : redacted.slice(0, Math.max(0, redacted.length - longest)))
  return { payload, ...((!whole || payload.length < redacted.length) && { cut: true }) }
}

/** At most so many bytes of UTF-8, without splitting a character. */
function upTo(most: number, text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= most) return text
  let end = most
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

/** The events to show: one value of each list has to match; an empty list matches all. */
export interface TapFilter {
  readonly pipelines: readonly string[]
  readonly outcomes: readonly Outcome['kind'][]
  /** Names of rules. */
  readonly routes: readonly string[]
  readonly ids: readonly string[]
  readonly codes: readonly ErrorCode[]
}

/** Checks everything except the rule, which may have to be computed. */
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
