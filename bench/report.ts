import { type Column, table } from '../src/terminal/table.js'
import type { Sample } from './measure.js'

/** Median, and how far the rounds lie apart. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

const FIGURES = ['cpuPerEvent', 'eventsPerSecond', 'p50', 'p99', 'peakRss', 'generatorLoad'] as const
type Figure = (typeof FIGURES)[number]

export interface Summary {
  readonly program: string
  readonly figures: { readonly [figure in Figure]: Spread }
}

const COLUMNS: readonly { readonly title: string; readonly figure: Figure; readonly digits: number }[] = [
  { title: 'CPU us/event', figure: 'cpuPerEvent', digits: 0 },
  { title: 'events/s', figure: 'eventsPerSecond', digits: 0 },
  { title: 'p50 ms', figure: 'p50', digits: 1 },
  { title: 'p99 ms', figure: 'p99', digits: 1 },
  { title: 'peak RSS MiB', figure: 'peakRss', digits: 0 },
  { title: 'generator cores', figure: 'generatorLoad', digits: 2 },
]

export function summarize(program: string, samples: readonly Sample[]): Summary {
  const own = samples.filter((sample) => sample.program === program)
  const figures = FIGURES.map((figure) => [figure, spread(own.map((sample) => sample[figure]))])
  return { program, figures: Object.fromEntries(figures) }
}

/** One program's CPU an event as a multiple of another's, round by round: what a noisy machine does to both cancels out. */
export function cpuRatio(samples: readonly Sample[], program: string, base: string): Spread {
  const of = (name: string) =>
    samples.filter((sample) => sample.program === name).map(({ cpuPerEvent }) => cpuPerEvent)
  const bases = of(base)
  return spread(of(program).map((cpu, round) => cpu / (bases[round] ?? Number.NaN)))
}

export function formatSummaries(summaries: readonly Summary[]): string {
  const columns: Column[] = [
    { title: '', align: 'left' },
    ...COLUMNS.map(({ title }): Column => ({ title, align: 'right' })),
  ]
  const rows = summaries.map(({ program, figures }) => [
    program,
    ...COLUMNS.map(({ figure, digits }) => formatSpread(figures[figure], digits)),
  ])
  return table(columns, rows)
}

export const formatSpread = ({ median, min, max }: Spread, digits: number): string =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  const median = (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2
  return { median, min: at(0), max: at(sorted.length - 1) }
}
