import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Generator } from '../load/generator.js'
import type { Environment } from '../programs/environment.js'
import { fitLine, type Point } from './statistics.js'

/** Observations of a program under load, from outside, so that they cost it no work. */
interface Watched {
  /** MiB: resident, and the part of it that is not mapped from a file. */
  readonly peakRss: number
  readonly peakOwn: number
  readonly backlog: Backlog
}

/** Events with status 200 that are not acknowledged yet. */
export interface Backlog {
  readonly peak: number
  /** Its growth in events a second, with the bounds of its confidence. */
  readonly slope: { readonly median: number; readonly min: number; readonly max: number }
}

/** The largest backlog of several, and the median growth: in one of a dozen turns, a backlog grows by chance. */
export function inAll(backlogs: readonly Backlog[]): Backlog {
  const slopes = backlogs.map(({ slope }) => slope).sort((one, other) => one.min - other.min)
  return {
    peak: Math.max(...backlogs.map(({ peak }) => peak)),
    slope: slopes[slopes.length >> 1] as Backlog['slope'],
  }
}

/** Milliseconds. */
const EVERY = 100

/** Watches until `until` has settled. `acknowledgedBefore`: the count of CXone before the load. */
export async function watch(
  pids: readonly number[],
  generator: Generator,
  environment: Environment,
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
    const [delivered, acknowledged] = await Promise.all([generator.delivered(), environment.acknowledged()])
    const { rss, own } = processFigures(pids)
    peakRss = Math.max(peakRss, rss)
    peakOwn = Math.max(peakOwn, own)
    if (over) break
    const pending = Math.max(0, delivered - (acknowledged - acknowledgedBefore))
    backlogs.push([(performance.now() - start) / 1000, pending])
    await delay(EVERY)
  }
  const { slope, low, high } = fitLine(backlogs)
  const peak = Math.max(0, ...backlogs.map(([, pending]) => pending))
  return { peakRss, peakOwn, backlog: { peak, slope: { median: slope, min: low, max: high } } }
}

/** The figures of Linux for processes and their children: the workers of a program are part of it. */
interface ProcessFigures {
  /** Since its start, in microseconds: user and system, all threads. Known to a hundredth of a second. */
  readonly cpu: number
  /** That of each process alone, by its id. */
  readonly cpuOf: ReadonlyMap<number, number>
  /** Resident memory in MiB. */
  readonly rss: number
  /** The part that is not mapped from a file: the kernel takes pages of files back when it needs them. */
  readonly own: number
}

/** Linux shows CPU time to user programs in hundredths of a second. */
const TICK = 10_000

export function processFigures(pids: readonly number[]): ProcessFigures {
  const all = pids.flatMap(familyOf)
  const cpuOf = new Map(all.map((member) => [member, cpuMicroseconds(member)]))
  return {
    cpu: [...cpuOf.values()].reduce((total, cpu) => total + cpu, 0),
    cpuOf,
    rss: all.reduce((total, member) => total + residentMib(member, 'VmRSS'), 0),
    own: all.reduce((total, member) => total + residentMib(member, 'RssAnon'), 0),
  }
}

function familyOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
    .filter((text) => text !== '')
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))]
}

function cpuMicroseconds(pid: number): number {
  // After the program's name, which may contain any character: utime and stime are fields 14 and 15 of the whole
  // line.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK
}

function residentMib(pid: number, which: 'VmRSS' | 'RssAnon'): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${which}:`))
  return Number(line?.match(/\d+/)?.[0]) / 1024
}
