import { fitLine, type Point, smooth } from './regression.js'

/** How memory changes with the events that a process has seen, once it is warm. */
export interface Growth {
  /** MiB a million events, and the bounds of its confidence of 95 %. */
  readonly slope: number
  readonly low: number
  readonly high: number
  readonly verdict: 'flat' | 'growing' | 'undecided'
  /** Millions of events, and MiB: what was judged, without its short swings. */
  readonly points: readonly Point[]
}

/** MiB a million events. Less is not told from a heap that takes its time to find its size. */
export const TOLERANCE = 1
/** The share of the run that is warm-up: code is compiled, caches and the redelivery window fill. */
const WARM_UP = 0.25
const POINTS = 60
/** Millions of events. Before that, the process is still finding its size. */
const FEWEST = 1

/**
 * `flat` and `growing` only where the whole interval of confidence is on one side of the tolerance. A run that is too short
 * or too restless is `undecided`.
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
