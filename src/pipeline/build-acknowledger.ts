import type { PipelineConfig } from '../config/schema.js'
import type { PostCommit } from '../contract/index.js'
import type { Ledger } from '../ledger/ledger.js'
import { milliseconds } from '../lib/units.js'
import { METRICS } from '../metrics/table.js'
import { type Acknowledger, type AttemptOutcome, createAcknowledger } from './acknowledge.js'
import type { StageRef } from './decision.js'
import { correlationFields } from './event-log.js'
import { type Observer, observePostCommit } from './observe.js'

export interface PostCommitStage {
  readonly index: number
  readonly ref: StageRef
  readonly observer: Observer
  readonly instance: Pick<PostCommit, 'acknowledge'>
  readonly ledger: Ledger
}

const OUTCOMES = ['acknowledged', 'retry', 'gave-up'] as const satisfies readonly AttemptOutcome[]

/** Puts a post-commit stage together with what works it off. */
export function buildAcknowledger(stage: PostCommitStage, { postCommit }: PipelineConfig): Acknowledger {
  const { index, ref, observer, instance, ledger } = stage
  const { pipeline } = ref
  const { metrics, log } = observer
  const settings = postCommit[index] as PipelineConfig['postCommit'][number]
  const counter = (outcome: AttemptOutcome) =>
    metrics.counter(METRICS.ackAttemptsTotal, {
      pipeline,
      outcome,
    })
  const counters = new Map(OUTCOMES.map((outcome) => [outcome, counter(outcome)]))
  const duration = metrics.histogram(METRICS.ackDurationSeconds, {
    pipeline,
  })
  return createAcknowledger({
    index,
    ledger,
    settings: {
      concurrency: settings.concurrency,
      rate: settings.rate,
      retry: {
        initial: milliseconds(settings.retry.initial),
        max: milliseconds(settings.retry.max),
        deadline: milliseconds(settings.retry.deadline),
      },
    },
    attempt: observePostCommit(ref, instance, observer),
    settled({ committed, committedAt, attempts }, outcome, attempt) {
      counters.get(outcome)?.inc()
      if (outcome === 'acknowledged') duration.observe(Math.max(0, ledger.now() - committedAt) / 1000)
      if (outcome === 'gave-up' && 'error' in attempt) {
        log.error(
          {
            ...correlationFields(committed),
            ...committed.receipt,
            code: 'HG_ACK_GAVE_UP',
            attempts: attempts + 1,
          },
          `the event is in Kafka and will not be acknowledged: ${attempt.error.message}`,
        )
      }
    },
  })
}
