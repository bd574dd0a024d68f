import { asHeadgateError } from '../contract/errors.js'
import type { Correlation, Event, Outcome, SinkRecord } from '../contract/index.js'
import { digestOf } from '../ledger/identity.js'
import type { Handed, HandOver } from './handed.js'
import type { Apply, Decision, Refusal } from './observe.js'
import type { Passage } from './passage.js'
import type { Pipeline } from './pipeline.js'
import { deadLetterRecord, eventRecord } from './records.js'

/**
 * The path of one event, from the request to the outcome that answers it. Resolves when the sender may be answered;
 * never rejects: whatever happens is an outcome. What is durable the ledger keeps, and from there it is acknowledged
 * upstream, after the answer.
 *
 * One process runs all of it. Where there are workers, a worker runs the front, up to what is to become of the event, and
 * the primary process the back, from the ledger on: all that the promises rest on.
 */
export function run(pipeline: Pipeline, receive: () => Event, request?: Correlation): Promise<Outcome> {
  const passage = pipeline.traffic.begin(request)
  return end(pipeline, passage, () => {
    const received = pipeline.receive(receive, passage)
    if (received.kind !== 'pass') return refused(undefined, received)
    const event = received.given
    return pipeline.ledger.once(event, (digest) => {
      const record = (passed: Event) => eventRecord(pipeline.origin, passed, digest)
      return deliver(pipeline, event, digest, decide(pipeline, event, passage), record, passage)
    })
  })
}

/** In a worker. Transforms are pure, so they may run before the ledger is asked. */
export async function runFront(
  pipeline: Pipeline,
  receive: () => Event,
  request: Correlation | undefined,
  handOver: HandOver,
): Promise<Outcome> {
  const passage = pipeline.traffic.begin(request)
  const received = pipeline.receive(receive, passage)
  if (received.kind !== 'pass') return handOver(pipeline, { kind: 'refused', refusal: received }, passage)
  const event = received.given
  const digest = digestOf(event.body.bytes)
  const decision = await decide(pipeline, event, passage)
  const record = (passed: Event) => eventRecord(pipeline.origin, passed, digest)
  return handOver(pipeline, { kind: 'decided', received: event, digest, decision, record }, passage)
}

/** In the primary process. `passage`: as it began in the worker. */
export function runBack(pipeline: Pipeline, handed: Handed, passage: Passage): Promise<Outcome> {
  return end(pipeline, passage, () => {
    if (handed.kind === 'refused') return refused(undefined, handed.refusal)
    const { received, decision, record } = handed
    const conclude = (digest: string) => deliver(pipeline, received, digest, decision, record, passage)
    return pipeline.ledger.once(received, conclude, handed.digest)
  })
}

async function end(
  pipeline: Pipeline,
  passage: Passage,
  path: () => Outcome | Promise<Outcome>,
): Promise<Outcome> {
  try {
    return pipeline.traffic.end(await path(), passage)
  } catch (thrown) {
    const error = asHeadgateError(thrown, 'The pipeline')
    return pipeline.traffic.end(refused(undefined, { kind: 'unavailable', error }), passage)
  }
}

/** Asks the transforms, one after the other, until one turns the event away. */
function decide(
  pipeline: Pipeline,
  event: Event,
  passage: Passage,
  first = 0,
): Decision<Event> | Promise<Decision<Event>> {
  let current = event
  for (let index = first; index < pipeline.transforms.length; index++) {
    const decision = (pipeline.transforms[index] as Apply)(current, passage)
    if (decision instanceof Promise)
      return decision.then((later) =>
        later.kind === 'pass' ? decide(pipeline, later.given, passage, index + 1) : later,
      )
    if (decision.kind !== 'pass') return decision
    current = decision.given
  }
  return { kind: 'pass', given: current }
}

/** `record` makes the record of an event that passed. It may throw: then the event fails in the sink. */
async function deliver(
  pipeline: Pipeline,
  received: Event,
  digest: string,
  decided: Decision<Event> | Promise<Decision<Event>>,
  record: (passed: Event) => SinkRecord,
  passage: Passage,
): Promise<Outcome> {
  const decision = decided instanceof Promise ? await decided : decided
  if (decision.kind !== 'pass') return turnAway(pipeline, received, digest, decision, passage)
  const event = decision.given
  const sent = await pipeline.send(event, () => record(event), passage)
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
  const sent = await send(
    event,
    () => deadLetterRecord(pipeline.origin, target, event, digest, decision),
    passage,
  )
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
