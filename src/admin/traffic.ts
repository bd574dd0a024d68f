import type { MetricDeclaration, Outcome } from '../contract/index.js'
import { OUTCOMES } from '../contract/index.js'
import { type History, POINTS, type SeriesHistory, STEP } from '../metrics/history.js'
import { quantile } from '../metrics/quantile.js'
import { METRICS } from '../metrics/table.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import type { Acknowledgements, Flow, Latency, PipelineTraffic, StageTraffic } from './api.js'

/** The metrics of the engine that traffic is made of; those of rules come with the plugins. */
export const TRAFFIC_METRICS: readonly MetricDeclaration[] = [
  METRICS.eventsTotal,
  METRICS.commitDurationSeconds,
  METRICS.stageEventsTotal,
  METRICS.stageDurationSeconds,
  METRICS.deadLettersTotal,
  METRICS.httpResponsesTotal,
  METRICS.ackAttemptsTotal,
  METRICS.ackDurationSeconds,
  METRICS.inflightEvents,
  METRICS.inflightEventsLimit,
  METRICS.ledgerPending,
  METRICS.ledgerPendingLimit,
  METRICS.ledgerOldestPendingSeconds,
  METRICS.ledgerFailed,
]

/** Points of a rate: long enough to be calm, short enough to be live. */
const RATE_POINTS = 10 / STEP
const LATENCY_POINTS = 60 / STEP

/** The traffic of each pipeline; of the points, the newest `newPoints`. */
export function pipelineTraffic(
  history: History,
  pipelines: readonly Pick<Pipeline, 'name' | 'runtime'>[],
  newPoints: number,
): PipelineTraffic[] {
  const byPipeline = groupedBy('pipeline', history.series())
  const seconds = Math.max(history.seconds(RATE_POINTS), 1)
  const points = Math.min(newPoints, history.points, POINTS)
  return pipelines.map(({ name, runtime }) => ({
    pipeline: name,
    state: runtime.targetState,
    ...trafficOf(byPipeline.get(name) ?? [], seconds, points),
  }))
}

function trafficOf(
  series: readonly SeriesHistory[],
  seconds: number,
  points: number,
): Omit<PipelineTraffic, 'pipeline' | 'state'> {
  const all = new PipelineSeries(series, seconds)
  const outcomes = all.by<Outcome['kind']>(METRICS.eventsTotal, 'outcome')
  const ended = (outcome: Outcome['kind']) => outcomes.get(outcome)
  const perOutcome = <Value>(of: (found: SeriesHistory | undefined) => Value) =>
    Object.fromEntries(OUTCOMES.map((outcome) => [outcome, of(ended(outcome))])) as {
      [outcome in Outcome['kind']]: Value
    }
  const commits = all.only(METRICS.commitDurationSeconds)
  const attempts = all.by(METRICS.ackAttemptsTotal, 'outcome')
  return {
    outcomes: perOutcome((found) => all.flow(found)),
    latency: latencyOf(commits),
    stages: stagesOf(all),
    rules: all.flows((found) => found.labels['rule']),
    deadLetters: all.of(METRICS.deadLettersTotal).flatMap((found) => {
      const { count } = all.flow(found)
      return count === 0
        ? []
        : [{ stage: found.labels['stage'] ?? '', code: found.labels['code'] ?? '', count }]
    }),
    responses: all.flows(({ declaration, labels }) =>
      declaration.name === METRICS.httpResponsesTotal.name ? labels['code'] : undefined,
    ),
    acknowledgements: acknowledgementsOf(all),
    inFlight: all.value(METRICS.inflightEvents),
    inFlightLimit: all.value(METRICS.inflightEventsLimit),
    points: {
      outcomes: perOutcome((found) => pointsOf(found, points)),
      ...quantilePoints(commits, points),
      acknowledged: pointsOf(attempts.get('acknowledged'), points),
      pending: pointsOf(all.only(METRICS.ledgerPending), points),
    },
  }
}

const NO_FLOW: Flow = { rate: 0, count: 0 }

/** The series of one pipeline. */
class PipelineSeries {
  readonly #series: readonly SeriesHistory[]
  readonly #seconds: number

  constructor(series: readonly SeriesHistory[], seconds: number) {
    this.#series = series
    this.#seconds = seconds
  }

  of({ name }: MetricDeclaration): readonly SeriesHistory[] {
    return this.#series.filter(({ declaration }) => declaration.name === name)
  }

  only(declaration: MetricDeclaration): SeriesHistory | undefined {
    return this.of(declaration)[0]
  }

  by<Value extends string>(declaration: MetricDeclaration, label: string): Map<Value, SeriesHistory> {
    return new Map(this.of(declaration).map((found) => [found.labels[label] as Value, found]))
  }

  value(declaration: MetricDeclaration): number {
    return this.only(declaration)?.recent(0)[0] ?? 0
  }

  flow(found: SeriesHistory | undefined): Flow {
    if (found === undefined || found.isQuiet) return NO_FLOW
    const [recent = 0] = found.recent(RATE_POINTS)
    const [count = 0] = found.all()
    return { rate: rounded(recent / this.#seconds), count }
  }

  /** The flow of each series that has a name and had an event: a config can have thousands of rules. */
  flows(nameOf: (found: SeriesHistory) => string | undefined): { readonly [name: string]: Flow } {
    return Object.fromEntries(
      this.#series.flatMap((found) => {
        const name = nameOf(found)
        if (name === undefined) return []
        const flow = this.flow(found)
        return flow.count === 0 ? [] : [[name, flow]]
      }),
    )
  }
}

function stagesOf(all: PipelineSeries): { readonly [stage: string]: StageTraffic } {
  const durations = all.by(METRICS.stageDurationSeconds, 'stage')
  const counts = groupedBy('stage', all.of(METRICS.stageEventsTotal))
  return Object.fromEntries(
    [...counts].map(([stage, found]) => {
      const outcomes = Object.fromEntries(found.map((one) => [one.labels['outcome'] ?? '', all.flow(one)]))
      return [stage, { outcomes, latency: latencyOf(durations.get(stage)) }]
    }),
  )
}

function acknowledgementsOf(all: PipelineSeries): Acknowledgements {
  const attempts = all.by(METRICS.ackAttemptsTotal, 'outcome')
  return {
    attempts: {
      acknowledged: all.flow(attempts.get('acknowledged')),
      retry: all.flow(attempts.get('retry')),
      'gave-up': all.flow(attempts.get('gave-up')),
    },
    latency: latencyOf(all.only(METRICS.ackDurationSeconds)),
    pending: all.value(METRICS.ledgerPending),
    pendingLimit: all.value(METRICS.ledgerPendingLimit),
    oldestSeconds: rounded(all.value(METRICS.ledgerOldestPendingSeconds)),
    failed: all.value(METRICS.ledgerFailed),
  }
}

const latencyOf = (found: SeriesHistory | undefined): Latency | null =>
  found === undefined || found.isQuiet ? null : latencyIn(found, found.recent(LATENCY_POINTS))

function latencyIn(found: SeriesHistory, counts: readonly number[]): Latency | null {
  const p50 = milliseconds(found, counts, 0.5)
  const p99 = milliseconds(found, counts, 0.99)
  return p50 === null || p99 === null ? null : { p50, p99 }
}

/** `counts`: of each bucket, and the sum. */
function milliseconds({ declaration }: SeriesHistory, counts: readonly number[], q: number): number | null {
  const seconds = quantile(q, declaration.buckets ?? [], counts)
  return seconds === undefined ? null : rounded(seconds * 1000)
}

const pointsOf = (found: SeriesHistory | undefined, points: number): number[] =>
  newest(points, (ago) => found?.point(ago)[0] ?? 0)

function quantilePoints(
  found: SeriesHistory | undefined,
  points: number,
): Pick<PipelineTraffic['points'], 'p50' | 'p99'> {
  const latencies = newest(points, (ago) =>
    found === undefined || found.isQuiet ? null : latencyIn(found, found.point(ago)),
  )
  return {
    p50: latencies.map((latency) => latency?.p50 ?? null),
    p99: latencies.map((latency) => latency?.p99 ?? null),
  }
}

function groupedBy(label: string, series: readonly SeriesHistory[]): Map<string, SeriesHistory[]> {
  const groups = new Map<string, SeriesHistory[]>()
  for (const one of series) {
    const value = one.labels[label] ?? ''
    const group = groups.get(value)
    if (group === undefined) groups.set(value, [one])
    else group.push(one)
  }
  return groups
}

/** Oldest first. */
const newest = <Value>(points: number, of: (ago: number) => Value): Value[] =>
  Array.from({ length: points }, (_, index) => of(points - 1 - index))

const rounded = (value: number): number => Math.round(value * 1000) / 1000
