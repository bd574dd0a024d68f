/** The median and the range of the rounds. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  const median = (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2
  return { median, min: at(0), max: at(sorted.length - 1) }
}

export const formatSpread = ({ median, min, max }: Spread, digits: number): string =>
  min === max
    ? median.toFixed(digits)
    : `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`

export type Point = readonly [x: number, y: number]

/** A straight line through points, with the confidence of its slope. */
interface Line {
  readonly slope: number
  readonly intercept: number
  /** The true slope lies in here with a confidence of 95 %. */
  readonly low: number
  readonly high: number
}

/**
 * Least squares. Neighbouring samples of a process are alike (memory goes up and down with the garbage collector), so
 * each counts for less than one, by the correlation of neighbouring residuals.
 */
export function fitLine(points: readonly Point[]): Line {
  const n = points.length
  const meanX = mean(points.map(([x]) => x))
  const meanY = mean(points.map(([, y]) => y))
  const sxx = sum(points.map(([x]) => (x - meanX) ** 2))
  const slope = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / sxx
  const intercept = meanY - slope * meanX
  const residuals = points.map(([x, y]) => y - intercept - slope * x)
  const squares = sum(residuals.map((r) => r * r))
  const correlation = squares === 0 ? 0 : Math.max(0, neighbours(residuals) / squares)
  const worth = Math.max(3, (n * (1 - correlation)) / (1 + correlation))
  const error = Math.sqrt(squares / (worth - 2) / sxx) * Math.sqrt(n / worth)
  const reach = n < 3 ? Number.POSITIVE_INFINITY : tQuantile(worth - 2) * error
  return { slope, intercept, low: slope - reach, high: slope + reach }
}

/** The 97.5 % quantile of Student's t distribution, by Cornish and Fisher; exact for 1 and 2 degrees of freedom. */
export function tQuantile(degrees: number): number {
  if (degrees < 1.5) return 12.706
  if (degrees < 2.5) return 4.303
  const z = 1.959964
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ]
  return terms.reduce((total, term, index) => total + term / degrees ** (index + 1), z)
}

/** So many points, each the median of its neighbours: the samples without short swings. */
export function smooth(points: readonly Point[], count: number): Point[] {
  if (points.length <= count) return [...points]
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * points.length) / count)
    const group = points.slice(from, Math.floor(((index + 1) * points.length) / count))
    return [median(group.map(([x]) => x)), median(group.map(([, y]) => y))]
  })
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const mean = (values: readonly number[]): number => sum(values) / values.length
const neighbours = (values: readonly number[]): number =>
  sum(values.slice(1).map((value, index) => value * (values[index] ?? 0)))
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** The change of memory with the number of events, after the warm-up. */
export interface Growth {
  /** MiB a million events, and the bounds of its confidence of 95 %. */
  readonly slope: number
  readonly low: number
  readonly high: number
  readonly verdict: 'flat' | 'growing' | 'undecided'
  /** Millions of events, and MiB: the judged samples, without short swings. */
  readonly points: readonly Point[]
}

/** MiB a million events. Less cannot be told from a heap that is still growing to its size. */
const TOLERANCE = 1
/** The share of the run that is warm-up: code is compiled, caches and the redelivery window fill. */
const WARM_UP = 0.25
const POINTS = 60
/** Millions of events. Before that, the process is still growing to its size. */
const FEWEST = 1

/**
 * `flat` and `growing` only if the whole interval of confidence is on one side of the tolerance. A run that is too
 * short or too restless is `undecided`.
 */
export function judgeGrowth(samples: readonly Point[]): Growth {
  const events = samples.at(-1)?.[0] ?? 0
  const points = smooth(
    samples.filter(([x]) => x >= events * WARM_UP),
    POINTS,
  )
  const { slope, low, high } = fitLine(points)
  const verdict =
    events < FEWEST ? 'undecided' : high <= TOLERANCE ? 'flat' : low > TOLERANCE ? 'growing' : 'undecided'
  return { slope, low, high, verdict, points }
}
