import { asHeadgateError, type HeadgateError } from '../errors.js'
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
} from '../plugin.js'
import type { FailureLog } from './failure-log.js'
import type { MetricsRegistry } from './metrics.js'

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

/** The wrapped stages, as the path of an event calls them. */
export type Receive = (receive: () => Event) => Passed<Event> | Refusal
export type Apply = (event: Event) => Decision<Event> | Promise<Decision<Event>>
export type Send = (event: Event, record: () => SinkRecord) => Promise<Decision<Receipt>>
export type TryAcknowledge = (committed: Committed) => Promise<Attempt>

/** Authentication, parsing and the id: what fails here never was an event, so `onError` does not apply. */
export function observeSource(place: StagePlace, observer: Observer): Receive {
  const ended = stageEnd(place, observer)
  return (receive) => {
    const startedAt = performance.now()
    try {
      const event = receive()
      return ended(event, { kind: 'pass', given: event }, startedAt)
    } catch (thrown) {
      const error = asHeadgateError(thrown, place.plugin)
      return ended(undefined, { kind: error.kind === 'data' ? 'reject' : 'unavailable', error }, startedAt)
    }
  }
}

/** A transform that answers at once stays synchronous: waiting for nothing costs a turn of the queue. */
export function observeTransform(place: StagePlace, transform: Transform, observer: Observer): Apply {
  const ended = stageEnd(place, observer)
  return (event) => {
    const startedAt = performance.now()
    const caught = (thrown: unknown) =>
      ended(event, onFailure(asHeadgateError(thrown, place.plugin), place), startedAt)
    try {
      const verdict = transform.apply(event)
      if (!(verdict instanceof Promise)) return ended(event, onVerdict(verdict, place), startedAt)
      return verdict.then((later) => ended(event, onVerdict(later, place), startedAt), caught)
    } catch (thrown) {
      return caught(thrown)
    }
  }
}

/** `record` is made inside: a record that cannot be made is a failure of the sink on this event. */
export function observeSink(place: StagePlace, sink: Sink, observer: Observer): Send {
  const ended = stageEnd(place, observer)
  return (event, record) => {
    const startedAt = performance.now()
    const caught = (thrown: unknown) =>
      ended(event, onFailure(asHeadgateError(thrown, place.plugin), place), startedAt)
    try {
      return sink
        .send(record())
        .then((given) => ended(event, { kind: 'pass', given } as const, startedAt), caught)
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
  postCommit: PostCommit,
  observer: Observer,
): TryAcknowledge {
  const { log } = observer
  const count = stageCount(place, observer)
  let failures = 0
  const judge = (id: string, attempt: Attempt, startedAt: number): Attempt => {
    const { kind } = attempt
    count(kind === 'acknowledged' ? 'passed' : kind === 'retry' ? 'unavailable' : 'rejected', startedAt)
    if (attempt.kind === 'retry') {
      log.debug({ id, code: attempt.error.code }, attempt.error.message)
      if (++failures === FAILING)
        log.warn({ id, code: attempt.error.code }, `acknowledging fails: ${attempt.error.message}`)
    } else {
      if (failures >= FAILING) log.info({ failures }, 'acknowledging works again')
      failures = 0
    }
    return attempt
  }
  return (committed) => {
    const { id } = committed
    const startedAt = performance.now()
    const caught = (thrown: unknown) =>
      judge(id, { kind: 'retry', error: asHeadgateError(thrown, place.plugin) }, startedAt)
    try {
      return postCommit.acknowledge(committed).then((attempt) => judge(id, attempt, startedAt), caught)
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

const STAGE_OUTCOMES = ['passed', 'dropped', 'rejected', 'dead-lettered', 'unavailable'] as const
type StageOutcome = (typeof STAGE_OUTCOMES)[number]

const OUTCOME_OF: { readonly [kind in Decision<unknown>['kind']]: StageOutcome } = {
  pass: 'passed',
  drop: 'dropped',
  reject: 'rejected',
  'dead-letter': 'dead-lettered',
  unavailable: 'unavailable',
}

/** Ends a stage for one event: counted, timed, and logged where it failed. */
function stageEnd(place: StagePlace, observer: Observer) {
  const count = stageCount(place, observer)
  const { failures } = observer
  return <Ended extends Decision<unknown>>(
    event: Event | undefined,
    decision: Ended,
    startedAt: number,
  ): Ended => {
    count(OUTCOME_OF[decision.kind], startedAt)
    if ('error' in decision) failures.failed(event, decision.error)
    return decision
  }
}

function stageCount({ pipeline, stage, plugin }: StagePlace, { metrics }: Observer) {
  const labels = { pipeline, stage, plugin }
  const duration = metrics.histogram('stage_duration_seconds', 'Time an event spends in a stage.', labels)
  const counter = (outcome: StageOutcome) =>
    metrics.counter('stage_events_total', 'Events a stage has finished with, by what it decided.', {
      ...labels,
      outcome,
    })
  const counters = new Map(STAGE_OUTCOMES.map((outcome) => [outcome, counter(outcome)]))
  return (outcome: StageOutcome, startedAt: number): void => {
    duration.observe((performance.now() - startedAt) / 1000)
    counters.get(outcome)?.inc()
  }
}
