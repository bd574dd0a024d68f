import type { Pace } from './pace.js'

export interface RecordingRule {
  readonly record: string
  readonly expr: string
}

const MINUTE = 60
const HOUR = 3600

/** The ranges over which the error budget is looked at. */
const RANGES = { '5m': 5 * MINUTE, '30m': 30 * MINUTE, '1h': HOUR, '6h': 6 * HOUR } as const

/** Queries of more than one place, or over hours. The names say the range of production. */
export function recordingRules(pace: Pace): readonly RecordingRule[] {
  const by = 'by (namespace, job, pipeline)'
  const errors = Object.entries(RANGES).map(([name, seconds]) => {
    const responses = (matchers: string) =>
      `sum ${by} (rate(headgate_http_responses_total${matchers}[${pace.span(seconds)}]))`
    return {
      record: errorRatio(name as keyof typeof RANGES),
      expr: `${responses('{code=~"5..",pipeline!="none"}')} / (${responses('{pipeline!="none"}')} > 0)`,
    }
  })
  const range = pace.span(5 * MINUTE)
  return [
    ...errors,
    {
      record: 'pipeline:headgate_events:rate5m',
      expr: `sum ${by} (rate(headgate_events_total[${range}]))`,
    },
    {
      record: DEAD_LETTER_RATIO,
      expr: `sum ${by} (rate(headgate_dead_letters_total[${range}])) / (sum ${by} (rate(headgate_events_total[${range}])) > 0)`,
    },
    { record: INBOX_LAG, expr: 'sum by (namespace, pipeline) (headgate_inbox_lag_events)' },
    {
      record: 'pipeline:headgate_commit_duration_seconds:p99_5m',
      expr: `histogram_quantile(0.99, sum by (namespace, job, pipeline, le) (rate(headgate_commit_duration_seconds_bucket[${range}])))`,
    },
  ]
}

/** Of all instances together: a rebalance moves it from one to another. */
export const INBOX_LAG = 'pipeline:headgate_inbox_lag_events:sum'

/** Responses of 5xx among all responses to senders. */
export const errorRatio = (range: keyof typeof RANGES): string =>
  `pipeline:headgate_http_errors:ratio_rate${range}`

/** Dead letters among all events. */
export const DEAD_LETTER_RATIO = 'pipeline:headgate_dead_letters:ratio_rate5m'

/** Of responses to senders, this share may be errors of ours: 99.9 % succeed. */
export const ERROR_BUDGET = 0.001
