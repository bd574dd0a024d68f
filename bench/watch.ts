import { setTimeout as delay } from 'node:timers/promises'
import type { Generator } from './generator.js'
import { processFigures } from './process-figures.js'
import { fitLine, type Point } from './regression.js'
import type { Environment } from './surroundings.js'

/** What was seen of a program under load, from outside: nothing of this costs it any work. */
export interface Watched {
  /** MiB: resident, and of that what is not mapped from a file. */
  readonly peakRss: number
  readonly peakOwn: number
  readonly backlog: Backlog
}

/** Events that were answered 200 and not yet acknowledged. */
export interface Backlog {
  readonly peak: number
  /** Events a second by which it grew, with the bounds of its confidence. */
  readonly slope: { readonly median: number; readonly min: number; readonly max: number }
}

/** The largest of several, and the middle growth: of a dozen turns, chance makes one grow where none does. */
export function inAll(backlogs: readonly Backlog[]): Backlog {
  const slopes = backlogs.map(({ slope }) => slope).sort((one, other) => one.min - other.min)
  return {
    peak: Math.max(...backlogs.map(({ peak }) => peak)),
    slope: slopes[slopes.length >> 1] as Backlog['slope'],
  }
}

/** Milliseconds. */
const EVERY = 100

/** Watches until `until` has settled. `acknowledgedBefore` is what CXone had counted before the load. */
export async function watch(
  pid: number,
  generator: Generator,
  around: Environment,
  acknowledgedBefore: number,
  until: Promise<unknown>,
): Promise<Watched> {
  const start = performance.now()
  const backlogs: Point[] = []
  let peakRss = 0
  let peakOwn = 0
  let over = false
  const end = () => {
    over = true
  }
  until.then(end, end)
  for (;;) {
    const [delivered, acknowledged] = await Promise.all([generator.delivered(), around.acknowledged()])
    const { rss, own } = processFigures(pid)
    peakRss = Math.max(peakRss, rss)
    peakOwn = Math.max(peakOwn, own)
    if (over) break
    const owed = Math.max(0, delivered - (acknowledged - acknowledgedBefore))
    backlogs.push([(performance.now() - start) / 1000, owed])
    await delay(EVERY)
  }
  const { slope, low, high } = fitLine(backlogs)
  const peak = Math.max(0, ...backlogs.map(([, owed]) => owed))
  return { peakRss, peakOwn, backlog: { peak, slope: { median: slope, min: low, max: high } } }
}
