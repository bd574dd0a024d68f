import { ERRORS, type ErrorCode } from '../contract/errors.js'
import { type Outcome, type Receipt, receivedBytes } from '../contract/index.js'
import { type MaskPath, withoutHidden } from '../lib/json/masked.js'
import type { CompletedEvent } from '../pipeline/taps.js'
import { redactor } from '../process/redact.js'
import { beginning, maskedBody } from './body.js'
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
  const { pipeline, outcome, remoteAddress, event, error, at, took } = completed
  const redact = redactor(secrets)
  const body = looksAtBody(completed, view)
    ? maskedBody(event?.body.bytes, [...pipeline.masks, ...view.masks])
    : undefined
  const hide = (text: string) => redact(withoutHidden(text, body?.hidden ?? new Set()))
  const receipt = 'receipt' in outcome ? outcome.receipt : undefined
  return {
    kind: 'event',
    time: new Date(at).toISOString(),
    pipeline: pipeline.name,
    ...(outcome.id !== undefined && { id: hide(outcome.id) }),
    outcome: outcome.kind,
    ...(remoteAddress !== undefined && { remoteAddress }),
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
    ...(event !== undefined && { bytes: receivedBytes(event.body).length }),
    ...(view.payload > 0 && body !== undefined && beginning(body.text, view.payload, secrets, redact)),
  }
}

const receiptOf = ({ topic, partition, offset }: Receipt) => ({ topic, partition, offset })

/** Whether the line needs a walk through the body, which takes time. */
export const looksAtBody = (completed: CompletedEvent, view: TapView): boolean =>
  completed.event !== undefined && (view.payload > 0 || hidesSome(completed, view))

const hidesSome = ({ pipeline }: CompletedEvent, { masks }: TapView): boolean =>
  pipeline.masks.length > 0 || masks.length > 0

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
