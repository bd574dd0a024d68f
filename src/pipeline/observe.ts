import { asHeadgateError, type HeadgateError } from '../contract/errors.js'
import type {
  Attempt,
  Committed,
  Event,
  Log,
  PostCommit,
  Receipt,
  Sink,
  SinkRecord,
  Transform,
  Verdict,
} from '../contract/index.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import type { FailureLog } from './event-log.js'
import { correlationFields, type Passage } from './passage.js'

/**
 * The one place where stages are counted, timed and logged. Each wrapper turns what a plugin does into a decision:
 * nothing that a stage throws gets past here.
 */

/** What the operator wants done with bad data: the setting `onError` of a stage. */
export type OnError = 'reject' | 'dead-letter' | 'drop'

/** Where in which pipeline a plugin stands. */
export interface StagePlace {
  readonly pipeline: string
  /** As `transform.1.route`: unique in the pipeline. */
  readonly stage: string
  readonly plugin: string
  readonly onError: OnError
}

/** The stage that writes dead letters. */
export const DEAD_LETTER_STAGE = 'dead-letter'

export interface Observer {
  readonly metrics: MetricsRegistry
  readonly log: Log
  readonly failures: FailureLog
}

/** The sender is told no: bad data, or a fault of ours. */
export interface Refusal {
  readonly kind: 'reject' | 'unavailable'
  readonly error: HeadgateError
}

export interface DeadLettered {
  readonly kind: 'dead-letter'
  readonly error: HeadgateError
  readonly place: StagePlace
}

interface Passed<Given> {
  readonly kind: 'pass'
  readonly given: Given
}

/** What is to be done with an event after a stage; `pass` carries what the stage gave. */
export type Decision<Given> = Passed<Given> | { readonly kind: 'drop' } | Refusal | DeadLettered

/** The wrapped stages, as the path of an event calls them; without a passage where nobody waits for the event. */
export type Receive = (receive: () => Event, passage?: Passage) => Passed<Event> | Refusal
export type Apply = (event: Event, passage?: Passage) => Decision<Event> | Promise<Decision<Event>>
export type Send = (event: Event, record: () => SinkRecord, passage?: Passage) => Promise<Decision<Receipt>>
export type TryAcknowledge = (committed: Committed) => Promise<Attempt>

/** Authentication, parsing and the id: what fails here never was an event, so `onError` does not apply. */
export function observeSource(place: StagePlace, observer: Observer): Receive {
  const ended = stageEnd(place, observer, ['passed', 'rejected'])
  return (receive, passage) => {
    const startedAt = performance.now()
    try {
      const event = receive()
      return ended(event, { kind: 'pass', given: event }, startedAt, passage)
    } catch (thrown) {
      const error = asHeadgateError(thrown, place.plugin)
      return ended(
        undefined,
        { kind: error.kind === 'data' ? 'reject' : 'unavailable', error },
        startedAt,
        passage,
      )
    }
  }
}

/** A transform that answers at once stays synchronous: waiting for nothing costs a turn of the queue. */
export function observeTransform(place: StagePlace, transform: Transform, observer: Observer): Apply {
  const ended = stageEnd(place, observer, ['passed', FAILED[place.onError]])
  return (event, passage) => {
    const startedAt = performance.now()
    const caught = (thrown: unknown) =>
      ended(event, onFailure(asHeadgateError(thrown, place.plugin), place), startedAt, passage)
    try {
      const verdict = transform.apply(event)
      if (!(verdict instanceof Promise)) return ended(event, onVerdict(verdict, place), startedAt, passage)
      return verdict.then((later) => ended(event, onVerdict(later, place), startedAt, passage), caught)
    } catch (thrown) {
      return caught(thrown)
    }
  }
}

/** `record` is made inside: a record that cannot be made is a failure of the sink on this event. */
export function observeSink(place: StagePlace, sink: Pick<Sink, 'send'>, observer: Observer): Send {
  const ended = stageEnd(place, observer, ['passed', FAILED[place.onError], 'unavailable'])
  return (event, record, passage) => {
    const startedAt = performance.now()
    const caught = (thrown: unknown) =>
      ended(event, onFailure(asHeadgateError(thrown, place.plugin), place), startedAt, passage)
    try {
      return sink
        .send(record())
        .then((given) => ended(event, { kind: 'pass', given } as const, startedAt, passage), caught)
    } catch (thrown) {
      return Promise.resolve(caught(thrown))
    }
  }
}

/** Failures in a row after which the log says that the sender cannot be told. */
const FAILING = 10

/** One attempt. The log has a line for each that is given up, and for the start and the end of an outage. */
export function observePostCommit(
  place: StagePlace,
  postCommit: Pick<PostCommit, 'acknowledge'>,
  observer: Observer,
): TryAcknowledge {
  const { log } = observer
  const count = stageCount(place, observer, ['passed', 'rejected', 'unavailable'])
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
      judge(committed, { kind: 'retry', error: asHeadgateError(thrown, place.plugin) }, startedAt)
    try {
      return postCommit.acknowledge(committed).then((attempt) => judge(committed, attempt, startedAt), caught)
    } catch (thrown) {
      return Promise.resolve(caught(thrown))
    }
  }
}

/** Bad data is decided by the operator's `onError`; a fault of ours never is. */
function onFailure(error: HeadgateError, place: StagePlace): Decision<never> {
  if (error.kind !== 'data') return { kind: 'unavailable', error }
  if (place.onError === 'drop') return { kind: 'drop' }
  return place.onError === 'dead-letter' ? { kind: 'dead-letter', error, place } : { kind: 'reject', error }
}

function onVerdict(verdict: Verdict, place: StagePlace): Decision<Event> {
  switch (verdict.kind) {
    case 'pass':
      return { kind: 'pass', given: verdict.event }
    case 'drop':
      return verdict
    case 'fail':
      return onFailure(verdict.error, place)
    case 'dead-letter':
      return { kind: 'dead-letter', error: verdict.error, place }
    case 'reject':
      return verdict
  }
}

type StageOutcome = 'passed' | 'dropped' | 'rejected' | 'dead-lettered' | 'unavailable'

const FAILED: { readonly [onError in OnError]: StageOutcome } = {
  reject: 'rejected',
  'dead-letter': 'dead-lettered',
  drop: 'dropped',
}

const OUTCOME_OF: { readonly [kind in Decision<unknown>['kind']]: StageOutcome } = {
  pass: 'passed',
  drop: 'dropped',
  reject: 'rejected',
  'dead-letter': 'dead-lettered',
  unavailable: 'unavailable',
}

/** Ends a stage for one event: counted, timed, and logged where it failed. */
function stageEnd(place: StagePlace, observer: Observer, usual: readonly StageOutcome[]) {
  const count = stageCount(place, observer, usual)
  const { failures } = observer
  return <Ended extends Decision<unknown>>(
    event: Event | undefined,
    decision: Ended,
    startedAt: number,
    passage: Passage | undefined,
  ): Ended => {
    const ms = count(OUTCOME_OF[decision.kind], startedAt)
    if (passage !== undefined) {
      passage.event = event
      passage.took(place.stage, ms)
      if ('error' in decision) passage.failureLogged = true
    }
    if ('error' in decision) failures.failed(event, decision.error, passage?.request)
    return decision
  }
}

/** `usual`: the outcomes that are shown from the start; any other when it first occurs. */
function stageCount(
  { pipeline, stage, plugin }: StagePlace,
  { metrics }: Observer,
  usual: readonly StageOutcome[],
) {
  const labels = { pipeline, stage, plugin }
  // A dead letter goes to the same sink, which is timed.
  const duration =
    stage === DEAD_LETTER_STAGE ? undefined : metrics.histogram(METRICS.stageDurationSeconds, labels)
  const counter = (outcome: StageOutcome) =>
    metrics.counter(METRICS.stageEventsTotal, {
      ...labels,
      outcome,
    })
  const counters = new Map(usual.map((outcome) => [outcome, counter(outcome)]))
  /** Returns the milliseconds. */
  return (outcome: StageOutcome, startedAt: number): number => {
    const ms = performance.now() - startedAt
    duration?.observe(ms / 1000)
    const known = counters.get(outcome)
    if (known !== undefined) known.inc()
    else {
      const unusual = counter(outcome)
      counters.set(outcome, unusual)
      unusual.inc()
    }
    return ms
  }
}
