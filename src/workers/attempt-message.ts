import { asHeadgateError } from '../contract/errors.js'
import type { Attempt, Committed } from '../contract/index.js'
import { type ErrorText, fromErrorText, toErrorText } from './error-text.js'

/**
 * A worker is to make one attempt at acknowledging. The channel keeps the order in which a config is taken over and attempts
 * are sent, so that both processes mean the same stage.
 */
export interface AttemptMessage {
  readonly kind: 'attempt'
  /** By which its end is told. */
  readonly number: number
  readonly pipeline: string
  /** The post-commit stage's place in it. */
  readonly stage: number
  readonly committed: Committed
}

/** What came of an attempt. */
export interface AttemptedMessage {
  readonly kind: 'attempted'
  readonly number: number
  /** Absent where it succeeded. */
  readonly failed?: FailedText
}

interface FailedText {
  readonly kind: 'retry' | 'give-up'
  readonly error: ErrorText
  readonly after?: number
  readonly throttled?: boolean
}

/** `plugin`: whose attempt it was. */
export function toAttemptedMessage(number: number, attempt: Attempt, plugin: string): AttemptedMessage {
  if (attempt.kind === 'acknowledged') return { kind: 'attempted', number }
  const error = toErrorText(asHeadgateError(attempt.error, plugin))
  return { kind: 'attempted', number, failed: { ...attempt, error } }
}

export function fromAttemptedMessage({ failed }: AttemptedMessage): Attempt {
  return failed === undefined ? { kind: 'acknowledged' } : { ...failed, error: fromErrorText(failed.error) }
}
