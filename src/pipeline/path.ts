import { asHeadgateError } from '../contract/errors.js'
import {
  type Correlation,
  type Event,
  type Handshake,
  type Outcome,
  receivedBytes,
  withRoute,
} from '../contract/index.js'
import { digestOf } from '../ledger/identity.js'
import {
  type Decided,
  type Decision,
  type EventVerdict,
  isRefusal,
  REFUSED,
  type Refusal,
} from './decision.js'
import type { EventContext } from './event-log.js'
import type { Apply } from './observe.js'
import type { Committer, Decider, LivePipeline, MakeDeadLetter, Pipeline } from './pipeline.js'
import { tellTaps } from './taps.js'

/**
 * The path of one event, from the request to the outcome that decides its response. It has two halves:
 *
 *   decide: source -> transforms -> a verdict: send this record, drop, reject, or dead-letter this record
 *   commit: ledger (seen before?) -> sink -> ledger (committed)
 *
 * One process runs both. With workers, a worker decides and the primary process commits. After the response, the ledger
 * has the event acknowledged upstream. With an inbox, `commit` writes the decided event there, and the instance that owns its
 * partition acts on the verdict (`inbox/work-off.ts`).
 *
 * Never rejects: a failure is an outcome too. A step is asynchronous only if it waits for something: every promise costs a
 * turn of the microtask queue for each event.
 */
export function run(
  pipeline: LivePipeline,
  receive: () => Event | Handshake,
  request: Correlation | undefined,
): Promise<Outcome> {
  const context = pipeline.traffic.begin(request)
  const decided = decide(pipeline.decider, receive, context)
  return decided instanceof Promise
    ? decided.then((later) => pipeline.commit(later, context))
    : pipeline.commit(decided, context)
}

/**
 * Has no side effects, since transforms are pure: deciding twice is harmless, and a redelivery is decided again. A promise
 * only if a transform is asynchronous. Never rejects.
 */
export function decide(
  decider: Decider,
  receive: () => Event | Handshake,
  context: EventContext,
): Decided | Promise<Decided> {
  const received = decider.receive(receive, context)
  if (received.kind !== 'pass') return { event: undefined, verdict: received }
  const event = received.value
  const digest = digestOf(receivedBytes(event.body))
  const transformed = transform(decider.transforms, event, context)
  return transformed instanceof Promise
    ? transformed.then((later) => withVerdict(decider, event, digest, later, context))
    : withVerdict(decider, event, digest, transformed, context)
}

/**
 * Acts on a verdict, and counts the event. The ledger comes before any verdict, in one process and with workers alike: a
 * redelivery of an event that is durable is a duplicate, whatever the config says of such an event by now. `context`: as it
 * was after `decide`. Never rejects.
 */
export async function commit(pipeline: Pipeline, decided: Decided, context: EventContext): Promise<Outcome> {
  const { committer, traffic, taps } = pipeline
  const { event, verdict } = decided
  let outcome: Outcome
  if (event === undefined)
    outcome = verdict.kind === 'handshake' ? { ...verdict, id: undefined } : refused(undefined, verdict)
  else {
    const { digest } = decided
    try {
      outcome = await committer.ledger.once(
        event,
        () => act(committer, event, digest, verdict, context),
        digest,
      )
    } catch (thrown) {
      outcome = refused(event.id, { kind: 'unavailable', error: asHeadgateError(thrown, 'The pipeline') })
    }
  }
  traffic.end(outcome, context)
  if (taps.size > 0) tellTaps(taps, pipeline, decided, outcome, context)
  return outcome
}

/** Applies the transforms one after the other, until one turns the event away. */
function transform(
  transforms: readonly Apply[],
  event: Event,
  context: EventContext,
  first = 0,
): Decision<Event> | Promise<Decision<Event>> {
  let current = event
  for (let index = first; index < transforms.length; index++) {
    const decision = (transforms[index] as Apply)(current, context)
    if (decision instanceof Promise)
      return decision.then((later) =>
        later.kind === 'pass' ? transform(transforms, later.value, context, index + 1) : later,
      )
    if (decision.kind !== 'pass') return decision
    current = decision.value
  }
  return { kind: 'pass', value: current }
}

/** The verdict on an event after all transforms: the record is made here, so that `commit` only has to send it. */
function withVerdict(
  decider: Decider,
  received: Event,
  digest: string,
  transformed: Decision<Event>,
  context: EventContext,
): Decided {
  const { deadLetter } = decider
  if (transformed.kind !== 'pass') {
    const verdict = verdictOf(deadLetter, received, digest, transformed, context)
    return { event: received, digest, verdict }
  }
  const record = decider.record(transformed.value, digest, context)
  const { route } = transformed.value
  const event = route === undefined ? received : withRoute(received, route)
  const verdict: EventVerdict =
    record.kind === 'pass'
      ? { kind: 'send', record: record.value }
      : verdictOf(deadLetter, event, digest, record, context)
  return { event, digest, verdict }
}

/** A dead letter has the bytes that were received. If it cannot be made, the event is refused. */
export function verdictOf(
  makeDeadLetter: MakeDeadLetter | undefined,
  event: Event,
  digest: string,
  decision: Exclude<Decision<unknown>, { kind: 'pass' }>,
  context: EventContext | undefined,
): Exclude<EventVerdict, { kind: 'send' }> {
  if (decision.kind !== 'dead-letter') return decision
  const { error, by } = decision
  if (makeDeadLetter === undefined) return { kind: 'reject', error }
  const made = makeDeadLetter(event, digest, decision, context)
  if (made.kind !== 'pass') return verdictOf(undefined, event, digest, made, context)
  return { kind: 'dead-letter', record: made.value, error, stage: by.stage }
}

async function act(
  committer: Committer,
  event: Event,
  digest: string,
  verdict: EventVerdict,
  context: EventContext,
): Promise<Outcome> {
  const { id } = event
  if (isRefusal(verdict)) return refused(id, verdict)
  if (committer.inbox?.accept !== undefined)
    return committer.inbox.accept({ event, digest, verdict }, context)
  switch (verdict.kind) {
    case 'send': {
      const sent = await committer.send(event, verdict.record, context)
      if (sent.kind === 'pass') return { kind: 'delivered', id, receipt: sent.value }
      const instead = verdictOf(committer.deadLetter, event, digest, sent, context)
      return act(committer, event, digest, instead, context)
    }
    case 'dead-letter': {
      const sent = await committer.sendDeadLetter(event, verdict.record, context)
      if (sent.kind !== 'pass')
        return act(committer, event, digest, verdictOf(undefined, event, digest, sent, context), context)
      committer.deadLettered(verdict)
      return { kind: 'dead-lettered', id, receipt: sent.value }
    }
    case 'drop':
      return { kind: 'dropped', id }
  }
}

const refused = (id: string | undefined, { kind, error }: Refusal): Outcome => ({
  kind: REFUSED[kind],
  id,
  error,
})
