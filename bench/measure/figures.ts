import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { quantile, together } from './delays.js'
import type { Rest, Sample } from './measure.js'
import type { Start } from './starts.js'
import { type Spread, spread } from './statistics.js'
import { inAll } from './watch.js'

/** The machine behind the figures: without it, figures mean nothing. */
export interface Machine {
  readonly revision: string
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly kafka: string
}

const FIGURES = [
  'cpuPerEvent',
  'primaryCpuPerEvent',
  'busiestCpuPerEvent',
  'eventsPerSecond',
  'p50',
  'p99',
  'p999',
  'peakRss',
  'peakOwn',
  'generatorLoad',
] as const
export type Figure = (typeof FIGURES)[number]

/** One program under one load, over all rounds. */
export interface Summary {
  readonly program: string
  readonly load: string
  readonly figures: { readonly [figure in Figure]: Spread }
  /** Of the rounds, the largest backlog and the fastest growth, the latter with the bounds of its confidence. */
  readonly backlog: Sample['backlog']
  /** Milliseconds from acceptance to delivery; only with an inbox. */
  readonly delivery?: { readonly p50: number; readonly p99: number }
}

export interface RestSummary {
  readonly program: string
  /** Seconds from the start of the process until it takes events, with empty topics: for the first time, and after a stop. */
  readonly firstReadyAfter: Spread
  readonly readyAfter: Spread
  /** Percent of one core, after a load. */
  readonly idleCpu: Spread
  /** Records a second, if a start had any to read back. */
  readonly readBack: Spread | undefined
}

/** Figures of a program as multiples of another's under the same load. */
export interface Ratio {
  readonly load: string
  readonly program: string
  readonly base: string
  readonly figures: { readonly [figure in Figure]: Spread }
}

export function machineOf(kafka: string): Machine {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain', '--', 'src') !== ''
  const [cpu] = cpus()
  return {
    revision: `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`,
    node: process.version,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    kafka,
  }
}

export function summarize(samples: readonly Sample[], load: string, program: string): Summary {
  const own = samples.filter((sample) => sample.load === load && sample.program === program)
  const delays = own.map((sample) => sample.delays).reduce(together, new Map())
  return {
    program,
    load,
    figures: eachFigure((figure) => spread(own.map((sample) => sample[figure]))),
    backlog: inAll(own.map(({ backlog }) => backlog)),
    ...(delays.size > 0 && { delivery: { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) } }),
  }
}

export function summarizeRest(
  starts: readonly Start[],
  rests: readonly Rest[],
  program: string,
): RestSummary {
  const own = rests.filter((rest) => rest.program === program)
  const readyAfter = (isFirst: boolean) =>
    spread(
      starts
        .filter((start) => start.program === program && start.isFirst === isFirst)
        .map(({ readyAfter }) => readyAfter),
    )
  const readBack = own.flatMap((rest) => rest.readBack ?? [])
  return {
    program,
    firstReadyAfter: readyAfter(true),
    readyAfter: readyAfter(false),
    idleCpu: spread(own.map(({ idleCpu }) => idleCpu)),
    readBack: readBack.length === 0 ? undefined : spread(readBack),
  }
}

/** Round by round: noise of the machine that affects both cancels out. */
export function ratioOf(samples: readonly Sample[], load: string, program: string, base: string): Ratio {
  const of = (name: string) => samples.filter((sample) => sample.load === load && sample.program === name)
  const bases = of(base)
  const ratio = (figure: Figure) =>
    of(program).map((sample) => {
      const other = bases.find(({ round }) => round === sample.round)
      return sample[figure] / (other?.[figure] ?? Number.NaN)
    })
  return { load, program, base, figures: eachFigure((figure) => spread(ratio(figure))) }
}

/** Reasons to doubt the figures, in sentences. */
export function doubtsOf(samples: readonly Sample[]): string[] {
  return samples.flatMap(({ program, load, round, refused, generatorLoad, lateP99, queued }) => {
    const where = `${program}, ${load}, round ${round + 1}:`
    return [
      // A refused event costs less than one delivered.
      ...(Object.keys(refused).length > 0
        ? [`${where} events were refused, by status: ${JSON.stringify(refused)}`]
        : []),
      ...(generatorLoad > 0.8
        ? [`${where} the generator took ${generatorLoad.toFixed(2)} cores, and may have been the limit`]
        : []),
      ...(lateP99 > LATE
        ? [`${where} the generator was late: 1 % of the events by more than ${lateP99.toFixed(1)} ms`]
        : []),
      ...(queued > QUEUED
        ? [`${where} ${(queued * 100).toFixed(1)} % of the events waited for a connection`]
        : []),
    ]
  })
}

/** Milliseconds. */
const LATE = 2
const QUEUED = 0.01

const eachFigure = <Value>(make: (figure: Figure) => Value): { readonly [figure in Figure]: Value } =>
  Object.fromEntries(FIGURES.map((figure) => [figure, make(figure)])) as { [figure in Figure]: Value }
