import type { ErrorCode } from '../contract/errors.js'
import { type Correlation, type Log, OUTCOMES, type Outcome } from '../contract/index.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { DEAD_LETTER_CODES, METRICS } from '../metrics/table.js'
import { createFailureLog } from './event-log.js'
import type { DeadLettered } from './observe.js'
import { Passage } from './passage.js'
import { createSlowLog } from './slow-log.js'

/** Counts the events of a pipeline under one config: each one that begins ends in exactly one outcome. */
export interface Traffic {
  /** `startedAt`: when a worker received it, on the clock of `performance.now`; now where absent. */
  begin(request: Correlation | undefined, startedAt?: number): Passage
  end(outcome: Outcome, passage: Passage): Outcome
  /** It goes on in the primary process, and is counted there. */
  handedOver(): void
  deadLettered(decision: DeadLettered): void
  /** Events that have begun and not ended. */
  inFlight(): number
  /** Resolves when there are none. */
  idle(): Promise<void>
  /** Says what the logs of failures and of slow events have only counted. */
  flush(): void
}

/** What makes a dead letter that a rule asks for. */
const ROUTED_CODES: readonly ErrorCode[] = ['HG_ROUTE_NO_MATCH', 'HG_ROUTE_REFUSED']

/** Stages that can make dead letters: because of `onError`, and because of a rule. */
export interface DeadLetterStages {
  readonly failing: readonly string[]
  readonly routing: readonly string[]
}

/** `slowAfter`: milliseconds. */
export function createTraffic(
  pipeline: string,
  { failing, routing }: DeadLetterStages,
  slowAfter: number,
  metrics: MetricsRegistry,
  log: Log,
): Traffic {
  const counter = (outcome: Outcome['kind']) => metrics.counter(METRICS.eventsTotal, { pipeline, outcome })
  const outcomes = new Map(OUTCOMES.map((outcome) => [outcome, counter(outcome)]))
  const commit = metrics.histogram(METRICS.commitDurationSeconds, {
    pipeline,
  })
  const slow = createSlowLog(log, slowAfter)
  /** Of events that no stage has turned away: the ledger took none, or they shared what became of their twin. */
  const failures = createFailureLog(log)
  let inFlight = 0
  const waiting: (() => void)[] = []
  const deadLetters = (stage: string, code: ErrorCode) =>
    metrics.counter(METRICS.deadLettersTotal, { pipeline, stage, code })
  for (const stage of failing) for (const code of DEAD_LETTER_CODES) deadLetters(stage, code)
  for (const stage of routing) for (const code of ROUTED_CODES) deadLetters(stage, code)
  const over = (): void => {
    if (--inFlight === 0 && waiting.length > 0) for (const resolve of waiting.splice(0)) resolve()
  }
  return {
    begin(request, startedAt = performance.now()) {
      inFlight++
      return new Passage(request, startedAt, slow.notable)
    },
    handedOver: over,
    end(outcome, passage) {
      const ms = performance.now() - passage.startedAt
      over()
      outcomes.get(outcome.kind)?.inc()
      if (outcome.kind === 'delivered' || outcome.kind === 'dead-lettered') {
        commit.observe(ms / 1000)
      }
      if ('error' in outcome && !passage.failureLogged)
        failures.failed(passage.event, outcome.error, passage.request)
      if (ms >= slowAfter) slow.ended(passage, outcome, ms)
      log.debug(outcome, 'event ended')
      return outcome
    },
    deadLettered: ({ error, place }) => deadLetters(place.stage, error.code).inc(),
    inFlight: () => inFlight,
    flush() {
      failures.flush()
      slow.flush()
    },
    idle: () => (inFlight === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
  }
}
