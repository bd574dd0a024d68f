import type { Outcome } from '../contract/index.js'
import { type ErrorText, fromErrorText, toErrorText } from './error-text.js'

/** How an event ended that a worker has handed over. */
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
  /** What the log here calls its request. */
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
