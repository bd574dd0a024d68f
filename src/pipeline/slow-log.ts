import type { Log, Outcome } from '../contract/index.js'
import { correlationFields, type Passage } from './passage.js'
import { sampledLines } from './sampled-lines.js'

/** Logs the events whose path took long, so that a high percentile on a dashboard leads to an event and its trace. */
export interface SlowLog {
  /** Milliseconds from which the time in a stage is worth keeping. */
  readonly notable: number
  /** For one that took long enough. */
  ended(passage: Passage, outcome: Outcome, ms: number): void
  /** Says now how many were only counted, and leaves no timer behind. */
  flush(): void
}

/** What part of a slow event a stage must have taken to be named. */
const NOTABLE_PART = 0.05

/** `after`: milliseconds. */
export function createSlowLog(log: Log, after: number): SlowLog {
  const lines = sampledLines<'slow'>((_, count, more) => log.warn({ count }, `slow events: ${more}`))
  return {
    notable: after * NOTABLE_PART,
    ended(passage, outcome, ms) {
      if (!lines.take('slow')) return
      const { event, request, stages } = passage
      const fields = {
        ...correlationFields(event, request),
        ...(event?.route !== undefined && { route: event.route.name }),
        outcome: outcome.kind,
        ms: rounded(ms),
        stages: Object.fromEntries(Object.entries(stages).map(([stage, its]) => [stage, rounded(its)])),
      }
      log.warn(fields, 'a slow event')
    },
    flush: lines.flush,
  }
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10
