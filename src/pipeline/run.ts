import { asHeadgateError } from '../errors.js'
import type { Correlation, Event, Outcome } from '../plugin.js'
import type { Pipeline } from './build.js'
import type { Decision, Refusal } from './observe.js'
import type { Passage } from './passage.js'
import { deadLetterRecord, eventRecord } from './records.js'

/**
 * The path of one event, from the request to the outcome that answers it. Resolves when the sender may be answered;
 * never rejects: whatever happens is an outcome. What is durable the ledger keeps, and from there it is acknowledged
 * upstream, after the answer.
 */
export async function run(pipeline: Pipeline, receive: () => Event, request?: Correlation): Promise<Outcome> {
  const passage = pipeline.traffic.begin(request)
  try {
    return pipeline.traffic.end(await path(pipeline, receive, passage), passage)
  } catch (thrown) {
    const error = asHeadgateError(thrown, 'The pipeline')
    return pipeline.traffic.end(refused(undefined, { kind: 'unavailable', error }), passage)
  }
}

function path(pipeline: Pipeline, receive: () => Event, passage: Passage): Outcome | Promise<Outcome> {
  const received = pipeline.receive(receive, passage)
  if (received.kind !== 'pass') return refused(undefined, received)
  return pipeline.ledger.once(received.given, (digest) => deliver(pipeline, received.given, digest, passage))
}

async function deliver(
  pipeline: Pipeline,
  received: Event,
  digest: string,
  passage: Passage,
): Promise<Outcome> {
  let event = received
  for (const apply of pipeline.transforms) {
    const applied = apply(event, passage)
    const decision = applied instanceof Promise ? await applied : applied
    if (decision.kind !== 'pass') return turnAway(pipeline, received, digest, decision, passage)
    event = decision.given
  }
  const sent = await pipeline.send(event, () => eventRecord(pipeline, event, digest), passage)
  if (sent.kind !== 'pass') return turnAway(pipeline, routed(received, event), digest, sent, passage)
  return { kind: 'delivered', id: received.id, receipt: sent.given }
}

/** The event goes no further: dropped, refused, or kept as a dead letter, with the bytes that were received. */
async function turnAway(
  pipeline: Pipeline,
  event: Event,
  digest: string,
  decision: TurnedAway,
  passage: Passage,
): Promise<Outcome> {
  if (decision.kind === 'drop') return { kind: 'dropped', id: event.id }
  if (decision.kind !== 'dead-letter') return refused(event.id, decision)
  if (pipeline.deadLetters === undefined) return refused(event.id, { kind: 'reject', error: decision.error })
  const { send, target } = pipeline.deadLetters
  const sent = await send(event, () => deadLetterRecord(pipeline, target, event, digest, decision), passage)
  if (sent.kind !== 'pass') return turnAway(pipeline, event, digest, sent, passage)
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
