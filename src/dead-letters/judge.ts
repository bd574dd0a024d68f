import { asHeadgateError, type HeadgateError } from '../contract/errors.js'
import type { Event, SinkRecord } from '../contract/index.js'
import { acceptedBody } from '../lib/body/decode.js'
import type { Delivery } from '../pipeline/build-delivery.js'
import type { Decision } from '../pipeline/decision.js'
import { eventRecord } from '../pipeline/records.js'
import { fromWrittenRequest } from '../pipeline/request-parts.js'
import type { DeadLetter } from './letter.js'

/** The result of a dead letter with the config as it is now. */
export type Judgement =
  | { readonly kind: 'passes'; readonly record: SinkRecord }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'fails'; readonly error: HeadgateError }

/** The reason why a dead letter would not pass, for messages. */
export const whyNot = (judgement: Exclude<Judgement, { kind: 'passes' }>): string =>
  judgement.kind === 'dropped'
    ? 'the config says that it is dropped'
    : `${judgement.error.code}: ${judgement.error.message}`

/**
 * Sends a dead letter through the transforms again, and makes its record. Its sender was authenticated when it came, so of the
 * source's work only the parsing is repeated; it keeps its id. Never rejects.
 */
export async function judge(delivery: Delivery, letter: DeadLetter, value: Buffer): Promise<Judgement> {
  try {
    let event = eventOf(letter, value)
    for (const { apply } of delivery.transforms) {
      const decision = await apply(event)
      if (decision.kind !== 'pass') return turnedAway(decision)
      event = decision.value
    }
    return { kind: 'passes', record: eventRecord(delivery, event, letter.digest) }
  } catch (thrown) {
    return { kind: 'fails', error: asHeadgateError(thrown, delivery.sinkStage.ref.plugin) }
  }
}

function eventOf(
  { id, timestamp, contentType, traceparent, tracestate, request }: DeadLetter,
  value: Buffer,
): Event {
  return {
    id,
    body: acceptedBody(value, contentType),
    receivedAt: timestamp,
    ...(traceparent !== undefined && { traceparent }),
    ...(tracestate !== undefined && { tracestate }),
    ...(request !== undefined && { request: fromWrittenRequest(request) }),
  }
}

const turnedAway = (decision: Exclude<Decision<Event>, { kind: 'pass' }>): Judgement =>
  decision.kind === 'drop' ? { kind: 'dropped' } : { kind: 'fails', error: decision.error }
