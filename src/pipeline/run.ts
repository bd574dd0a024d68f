import { asHeadgateError } from '../errors.js'
import type { Event, Outcome } from '../plugin.js'
import type { Pipeline } from './build.js'
import type { Decision, Refusal } from './observe.js'
import { deadLetterRecord, eventRecord } from './records.js'

/**
 * The path of one event, from the request to the outcome that answers it. Resolves when the sender may be answered;
 * never rejects: whatever happens is an outcome. What is durable the ledger keeps, and from there it is acknowledged
 * upstream, after the answer.
 */
export async function run(pipeline: Pipeline, receive: () => Event): Promise<Outcome> {
  const startedAt = pipeline.traffic.begin()
  try {
    return pipeline.traffic.end(await path(pipeline, receive), startedAt)
  } catch (thrown) {
    const error = asHeadgateError(thrown, 'The pipeline')
    return pipeline.traffic.end(refused(undefined, { kind: 'unavailable', error }), startedAt)
  }
}

function path(pipeline: Pipeline, receive: () => Event): Outcome | Promise<Outcome> {
  const received = pipeline.receive(receive)
  if (received.kind !== 'pass') return refused(undefined, received)
  return pipeline.ledger.once(received.given, (digest) => deliver(pipeline, received.given, digest))
}

async function deliver(pipeline: Pipeline, received: Event, digest: string): Promise<Outcome> {
  let event = received
  for (const apply of pipeline.transforms) {
    const applied = apply(event)
    const decision = applied instanceof Promise ? await applied : applied
    if (decision.kind !== 'pass') return turnAway(pipeline, received, digest, decision)
    event = decision.given
  }
  const sent = await pipeline.send(event, () => eventRecord(pipeline, event, digest))
  if (sent.kind !== 'pass') return turnAway(pipeline, routed(received, event), digest, sent)
  return { kind: 'delivered', id: received.id, receipt: sent.given }
}

/** The event goes no further: dropped, refused, or kept as a dead letter, with the bytes that were received. */
async function turnAway(
  pipeline: Pipeline,
  event: Event,
  digest: string,
  decision: TurnedAway,
): Promise<Outcome> {
  if (decision.kind === 'drop') return { kind: 'dropped', id: event.id }
  if (decision.kind !== 'dead-letter') return refused(event.id, decision)
  if (pipeline.deadLetters === undefined) return refused(event.id, { kind: 'reject', error: decision.error })
  const { send, target } = pipeline.deadLetters
  const sent = await send(event, () => deadLetterRecord(pipeline, target, event, digest, decision))
  if (sent.kind !== 'pass') return turnAway(pipeline, event, digest, sent)
  pipeline.traffic.deadLettered(decision)
  return { kind: 'dead-lettered', id: event.id, receipt: sent.given }
}

/** What was received, with the rule that then chose its target. */
const routed = (received: Event, { route }: Event): Event =>
  route === undefined ? received : { ...received, route }

type TurnedAway = Exclude<Decision<unknown>, { kind: 'pass' }>

const refused = (id: string | undefined, { kind, error }: Refusal): Outcome => ({
  kind: kind === 'reject' ? 'rejected' : 'unavailable',
  id,
  error,
})
