import type { ErrorCode } from '../contract/errors.js'
import { type Correlation, type Log, OUTCOMES, type Outcome } from '../contract/index.js'
import { InFlight } from '../lib/async.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { DEAD_LETTER_CODES, METRICS } from '../metrics/table.js'
import type { DeadLetterVerdict } from './decision.js'
import { EventContext, FailureLog, HandshakeLog, SlowLog } from './event-log.js'

/** The error codes of dead letters that a routing rule makes. */
const ROUTED_CODES: readonly ErrorCode[] = ['HG_ROUTE_NO_MATCH', 'HG_ROUTE_REFUSED']

/** It needs a setting that few pipelines have, and appears when it first occurs: a scrape of many pipelines stays small. */
const UNUSUAL: Outcome['kind'] = 'limited'

/** The series that are there before the first event. */
export interface UsualSeries {
  /** Stages that can make dead letters because of `onError`. */
  readonly failing: readonly string[]
  /** Stages that can make dead letters because of a rule. */
  readonly routing: readonly string[]
  /** Only an inbox has the outcome `accepted`. */
  readonly hasInbox: boolean
}

/** Counts the events of a pipeline under one config: each one that begins ends in exactly one outcome. */
export class Traffic {
  readonly #pipeline: string
  readonly #metrics: MetricsRegistry
  readonly #log: Log
  readonly #slowAfter: number
  readonly #slow: SlowLog
  /** Failures that no stage has logged: the ledger did not take the event, or it shared the outcome of a copy. */
  readonly #failures: FailureLog
  readonly #handshakes: HandshakeLog
  readonly #outcomes = new Map<Outcome['kind'], { inc(): void }>()
  readonly #committed: { observe(seconds: number): void }
  readonly #inFlight = new InFlight()
  readonly #isWatched: () => boolean

  /** `slowAfter`: milliseconds. `isWatched`: whether somebody wants to see the times of all stages. */
  constructor(
    pipeline: string,
    { failing, routing, hasInbox }: UsualSeries,
    slowAfter: number,
    metrics: MetricsRegistry,
    log: Log,
    isWatched: () => boolean,
  ) {
    this.#pipeline = pipeline
    this.#isWatched = isWatched
    this.#metrics = metrics
    this.#log = log
    this.#slowAfter = slowAfter
    this.#slow = new SlowLog(log, slowAfter)
    this.#failures = new FailureLog(log)
    this.#handshakes = new HandshakeLog(log)
    const isUsual = (outcome: Outcome['kind']) => outcome !== UNUSUAL && (outcome !== 'accepted' || hasInbox)
    for (const outcome of OUTCOMES.filter(isUsual)) this.#count(outcome)
    this.#committed = metrics.histogram(METRICS.commitDurationSeconds, {
      pipeline,
    })
    for (const stage of failing) for (const code of DEAD_LETTER_CODES) this.#deadLetters(stage, code)
    for (const stage of routing) for (const code of ROUTED_CODES) this.#deadLetters(stage, code)
  }

  /** `startedAt`: the time at which a worker received it, on the clock of `performance.now`. */
  begin(request: Correlation | undefined, startedAt = performance.now()): EventContext {
    this.#inFlight.begin()
    return new EventContext(request, startedAt, this.#isWatched() ? 0 : this.#slow.notable)
  }

  end(outcome: Outcome, context: EventContext): void {
    this.leave()
    this.ended(outcome, context)
  }

  /** For an event that has left. */
  ended(outcome: Outcome, context: EventContext): void {
    const ms = performance.now() - context.startedAt
    this.#count(outcome.kind).inc()
    if ('receipt' in outcome && outcome.kind !== 'duplicate') this.#committed.observe(ms / 1000)
    if (outcome.kind === 'handshake') this.#handshakes.answered(outcome, context.request)
    // A stage has logged its own failure.
    if ('error' in outcome && outcome.error !== context.failure)
      this.#failures.failed(context.event, outcome.error, context.request)
    if (ms >= this.#slowAfter) this.#slow.ended(context, outcome, ms)
    this.#log.debug(outcome, 'event ended')
  }

  /** The event continues in another process, which counts its outcome, or waits for its transaction. */
  leave(): void {
    this.#inFlight.end()
  }

  deadLettered({ error, stage }: DeadLetterVerdict): void {
    this.#deadLetters(stage, error.code).inc()
  }

  /** Events that have begun and not ended. */
  inFlight(): number {
    return this.#inFlight.count
  }

  /** Resolves when no event is in flight. */
  idle(): Promise<void> {
    return this.#inFlight.drained()
  }

  /** Logs the counts of failures and of slow events that had no line of their own. */
  flush(): void {
    this.#failures.flush()
    this.#handshakes.flush()
    this.#slow.flush()
  }

  #count(outcome: Outcome['kind']): { inc(): void } {
    let counter = this.#outcomes.get(outcome)
    if (counter === undefined) {
      counter = this.#metrics.counter(METRICS.eventsTotal, { pipeline: this.#pipeline, outcome })
      this.#outcomes.set(outcome, counter)
    }
    return counter
  }

  #deadLetters(stage: string, code: ErrorCode): { inc(): void } {
    const labels = { pipeline: this.#pipeline, stage, code }
    return this.#metrics.counter(METRICS.deadLettersTotal, labels)
  }
}
