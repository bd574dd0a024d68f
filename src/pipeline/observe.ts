import { asHeadgateError, type ErrorKind, type HeadgateError } from '../contract/errors.js'
import {
  type Attempt,
  type Committed,
  type Event,
  type Handshake,
  isHandshake,
  type Log,
  type PostCommit,
  type Receipt,
  type Sink,
  type SinkRecord,
  type Transform,
  type Verdict,
} from '../contract/index.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { METRICS, type STAGE_OUTCOMES } from '../metrics/table.js'
import type { Decision, OnError, Passed, Refusal, StageRef } from './decision.js'
import { correlationFields, type EventContext, type FailureLog } from './event-log.js'
import { type ReadRequest, withRequest } from './request-parts.js'

/**
 * The one place where stages are counted, timed and logged. Each wrapper turns the result of a plugin into a decision
 * and catches everything that the plugin throws.
 */

/** The stage that writes dead letters. */
export const DEAD_LETTER_STAGE = 'dead-letter'

export interface Observer {
  readonly metrics: MetricsRegistry
  readonly log: Log
  readonly failures: FailureLog
}

/** The wrapped stages, as the path of an event calls them. Without a context, no sender waits for the event. */
export type Receive = (
  receive: () => Event | Handshake,
  context?: EventContext,
) => Passed<Event> | Refusal | Handshake
export type Apply = (event: Event, context?: EventContext) => Decision<Event> | Promise<Decision<Event>>
export type Make = (event: Event, make: () => SinkRecord, context?: EventContext) => Decision<SinkRecord>
export type Send = (event: Event, record: SinkRecord, context?: EventContext) => Promise<Decision<Receipt>>
export type TryAcknowledge = (committed: Committed) => Promise<Attempt>

/**
 * Authentication, parsing and the id: a request that fails here never became an event, so `onError` does not apply. `read`: if
 * later stages read parts of the request.
 */
export function observeSource(ref: StageRef, observer: Observer, read?: ReadRequest): Receive {
  const ended = stageEnd(ref, observer, ['passed', 'rejected'])
  return (receive, context) => {
    const startedAt = performance.now()
    try {
      const received = receive()
      if (isHandshake(received)) return ended(undefined, received, startedAt, context)
      const value = read === undefined ? received : withRequest(received, read, context?.request)
      return ended(value, { kind: 'pass', value }, startedAt, context)
    } catch (thrown) {
      const error = asHeadgateError(thrown, ref.plugin)
      return ended(undefined, { kind: REFUSALS[error.kind], error }, startedAt, context)
    }
  }
}

/** How a source refuses a request, by the kind of its error. */
const REFUSALS: { readonly [kind in ErrorKind]: Refusal['kind'] } = {
  data: 'reject',
  limit: 'limit',
  infrastructure: 'unavailable',
  config: 'unavailable',
}

/** A transform that returns a plain verdict stays synchronous: an await costs a turn of the microtask queue. */
export function observeTransform(ref: StageRef, transform: Transform, observer: Observer): Apply {
  const ended = stageEnd(ref, observer, ['passed', FAILED[ref.onError]])
  return (event, context) => {
    const startedAt = performance.now()
    const caught = (thrown: unknown) =>
      ended(event, onFailure(asHeadgateError(thrown, ref.plugin), ref), startedAt, context)
    try {
      const verdict = transform.apply(event)
      if (!(verdict instanceof Promise)) return ended(event, onVerdict(verdict, ref), startedAt, context)
      return verdict.then((later) => ended(event, onVerdict(later, ref), startedAt, context), caught)
    } catch (thrown) {
      return caught(thrown)
    }
  }
}

/** Counted only if it fails: a sink that cannot make the record of an event has failed on this event. */
export function observeRecord(ref: StageRef, observer: Observer): Make {
  const ended = stageEnd(ref, observer, [FAILED[ref.onError]])
  return (event, make, context) => {
    const startedAt = performance.now()
    try {
      return { kind: 'pass', value: make() }
    } catch (thrown) {
      return ended(event, onFailure(asHeadgateError(thrown, ref.plugin), ref), startedAt, context)
    }
  }
}

export function observeSink(ref: StageRef, sink: Pick<Sink, 'send'>, observer: Observer): Send {
  const ended = stageEnd(ref, observer, ['passed', FAILED[ref.onError], 'unavailable'])
  return (event, record, context) => {
    const startedAt = performance.now()
    const caught = (thrown: unknown) =>
      ended(event, onFailure(asHeadgateError(thrown, ref.plugin), ref), startedAt, context)
    try {
      return sink
        .send(record)
        .then((value) => ended(event, { kind: 'pass', value } as const, startedAt, context), caught)
    } catch (thrown) {
      return Promise.resolve(caught(thrown))
    }
  }
}

/** Consecutive failures after which the log warns that acknowledging fails. */
const FAILING = 10

/** Makes one attempt. The log has a line for the start and for the end of an outage. */
export function observePostCommit(
  ref: StageRef,
  postCommit: Pick<PostCommit, 'acknowledge'>,
  observer: Observer,
): TryAcknowledge {
  const { log } = observer
  const count = stageCount(ref, observer, ['passed', 'rejected', 'unavailable'])
  let failures = 0
  const judge = (committed: Committed, attempt: Attempt, startedAt: number): Attempt => {
    const { kind } = attempt
    count(kind === 'acknowledged' ? 'passed' : kind === 'retry' ? 'unavailable' : 'rejected', startedAt)
    if (attempt.kind === 'retry') {
      const { code, message } = attempt.error
      const fields = { ...correlationFields(committed), code }
      log.debug(fields, message)
      if (++failures === FAILING) log.warn(fields, `acknowledging fails: ${message}`)
    } else {
      if (failures >= FAILING) log.info({ failures }, 'acknowledging works again')
      failures = 0
    }
    return attempt
  }
  return (committed) => {
    const startedAt = performance.now()
    const caught = (thrown: unknown) =>
      judge(committed, { kind: 'retry', error: asHeadgateError(thrown, ref.plugin) }, startedAt)
    try {
      return postCommit.acknowledge(committed).then((attempt) => judge(committed, attempt, startedAt), caught)
    } catch (thrown) {
      return Promise.resolve(caught(thrown))
    }
  }
}

/** The operator's `onError` decides about bad data, and never about a fault of ours. */
function onFailure(error: HeadgateError, ref: StageRef): Decision<never> {
  if (error.kind !== 'data') return { kind: 'unavailable', error }
  if (ref.onError === 'drop') return { kind: 'drop' }
  return ref.onError === 'dead-letter' ? { kind: 'dead-letter', error, by: ref } : { kind: 'reject', error }
}

function onVerdict(verdict: Verdict, ref: StageRef): Decision<Event> {
  switch (verdict.kind) {
    case 'pass':
      return { kind: 'pass', value: verdict.event }
    case 'drop':
      return verdict
    case 'fail':
      return onFailure(verdict.error, ref)
    case 'dead-letter':
      return { kind: 'dead-letter', error: verdict.error, by: ref }
    case 'reject':
      return verdict
  }
}

type StageOutcome = (typeof STAGE_OUTCOMES)[number]

const FAILED: { readonly [onError in OnError]: StageOutcome } = {
  reject: 'rejected',
  'dead-letter': 'dead-lettered',
  drop: 'dropped',
}

const OUTCOME_OF: { readonly [kind in StageEnd['kind']]: StageOutcome } = {
  pass: 'passed',
  drop: 'dropped',
  reject: 'rejected',
  limit: 'limited',
  'dead-letter': 'dead-lettered',
  unavailable: 'unavailable',
  handshake: 'handshake',
}

/** The end of a stage for one event, or of the source for a handshake. */
type StageEnd = Decision<unknown> | Handshake

/** Ends a stage for one event: counts and times it, and logs a failure. */
function stageEnd(ref: StageRef, observer: Observer, usual: readonly StageOutcome[]) {
  const count = stageCount(ref, observer, usual)
  const { failures } = observer
  return <Ended extends StageEnd>(
    event: Event | undefined,
    decision: Ended,
    startedAt: number,
    context: EventContext | undefined,
  ): Ended => {
    const ms = count(OUTCOME_OF[decision.kind], startedAt)
    context?.stageEnded(ref, event, decision, ms)
    if ('error' in decision) failures.failed(event, decision.error, context?.request)
    return decision
  }
}

/** `usual`: the outcomes that metrics show from the start; any other one appears when it first occurs. */
function stageCount(
  { pipeline, stage, plugin }: StageRef,
  { metrics }: Observer,
  usual: readonly StageOutcome[],
) {
  const labels = { pipeline, stage, plugin }
  // The sink that writes the dead letters is already timed.
  const duration =
    stage === DEAD_LETTER_STAGE ? undefined : metrics.histogram(METRICS.stageDurationSeconds, labels)
  const counter = (outcome: StageOutcome) =>
    metrics.counter(METRICS.stageEventsTotal, {
      ...labels,
      outcome,
    })
  const counters = new Map(usual.map((outcome) => [outcome, counter(outcome)]))
  const addCounter = (outcome: StageOutcome) => {
    const added = counter(outcome)
    counters.set(outcome, added)
    return added
  }
  /** Returns the milliseconds. */
  return (outcome: StageOutcome, startedAt: number): number => {
    const ms = performance.now() - startedAt
    duration?.observe(ms / 1000)
    const count = counters.get(outcome) ?? addCounter(outcome)
    count.inc()
    return ms
  }
}
