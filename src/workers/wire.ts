import { asHeadgateError } from '../contract/errors.js'
import type { Attempt, Committed, Outcome } from '../contract/index.js'
import { type ErrorText, fromErrorText, toErrorText } from '../pipeline/decided-message.js'

/** The outcome of an event from a worker. */
export interface OutcomeMessage {
  readonly kind: 'outcome'
  readonly number: number
  readonly outcome:
    | Exclude<Outcome, { readonly error: unknown }>
    | {
        readonly kind: 'rejected' | 'limited' | 'unavailable'
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

export const fromOutcomeMessage = ({ outcome }: Pick<OutcomeMessage, 'outcome'>): Outcome =>
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

/** Milliseconds by which `performance.now` of this process is behind the clock that all processes of a machine share. */
const BEHIND = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/** Converts a time of `performance.now` to the clock that all processes of a machine share, and back. */
export const toSharedClock = (ms: number): number => ms + BEHIND
export const fromSharedClock = (ms: number): number => ms - BEHIND
