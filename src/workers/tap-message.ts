import type { Correlation } from '../contract/index.js'
import {
  type DecidedMessage,
  type ErrorText,
  fromDecidedMessage,
  fromErrorText,
  toDecidedMessage,
  toErrorText,
} from '../pipeline/decided-message.js'
import type { AcknowledgementAttempt, CompletedEvent } from '../pipeline/taps.js'
import { fromOutcomeMessage, type OutcomeMessage, toOutcomeMessage } from './wire.js'

/**
 * An event that has ended in a worker which has its pipeline whole; sent while somebody watches. Its parts are those of the event and of
 * its record, if it has one.
 */
export interface CompletedMessage
  extends Pick<CompletedEvent, 'remoteAddress' | 'times' | 'at' | 'took' | 'rule'>,
    Pick<OutcomeMessage, 'outcome'> {
  readonly kind: 'completed'
  readonly pipeline: string
  readonly error?: ErrorText
  readonly event?: DecidedMessage & Pick<Correlation, 'traceparent'>
}

export function toCompletedMessage(
  completed: CompletedEvent,
  rule: string | undefined,
): { readonly message: CompletedMessage; readonly parts: readonly Buffer[] } {
  const { pipeline, outcome, remoteAddress, times, at, took, error, event, record } = completed
  const message = {
    kind: 'completed',
    pipeline: pipeline.name,
    outcome: toOutcomeMessage(0, outcome, undefined).outcome,
    ...{ remoteAddress, times, at, took, rule },
    ...(error !== undefined && { error: toErrorText(error) }),
  } as const
  if (event === undefined) return { message, parts: [] }
  // No digest is shown.
  const verdict = record === undefined ? ({ kind: 'drop' } as const) : ({ kind: 'send', record } as const)
  const decided = toDecidedMessage({ event, digest: '', verdict })
  const { traceparent } = event
  return { message: { ...message, event: { ...decided.message, traceparent } }, parts: decided.parts }
}

export function fromCompletedMessage(
  { outcome, remoteAddress, times, at, took, rule, error, event }: CompletedMessage,
  parts: readonly Buffer[],
  pipeline: CompletedEvent['pipeline'],
): CompletedEvent {
  const decided = event && fromDecidedMessage(event, event, parts)
  return {
    pipeline,
    outcome: fromOutcomeMessage({ outcome }),
    event: decided?.event,
    record: decided?.verdict.kind === 'send' ? decided.verdict.record : undefined,
    error: error && fromErrorText(error),
    askRule: undefined,
    ...{ remoteAddress, times, at, took, rule },
  }
}

/** An attempt at acknowledging an event, of such a worker. */
export interface AttemptMadeMessage {
  readonly kind: 'attempt-made'
  readonly attempt: Omit<AcknowledgementAttempt, 'error'>
  readonly error?: ErrorText
}

export const toAttemptMadeMessage = ({ error, ...attempt }: AcknowledgementAttempt): AttemptMadeMessage => ({
  kind: 'attempt-made',
  attempt,
  ...(error !== undefined && { error: toErrorText(error) }),
})

export const fromAttemptMadeMessage = ({ attempt, error }: AttemptMadeMessage): AcknowledgementAttempt => ({
  ...attempt,
  error: error && fromErrorText(error),
})
