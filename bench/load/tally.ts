import type { LoadResult } from './load-order.js'

/** The results of an order so far. */
export interface Tally {
  /** Events. */
  delivered(): number
  answered(status: string, milliseconds: number): void
  /** The delay of the generator in milliseconds. */
  late(milliseconds: number): void
  queued(): void
  result(): LoadResult
}

/** `events`: in each request. */
export function createTally(events: number): Tally {
  const latencies = createLatencies()
  const lateness = createLatencies()
  const refused: { [status: string]: number } = {}
  const start = performance.now()
  const cpuAtStart = process.cpuUsage()
  let queued = 0
  return {
    delivered: () => latencies.count * events,
    answered(status, milliseconds) {
      if (status === '200') latencies.record(milliseconds)
      else refused[status] = (refused[status] ?? 0) + 1
    },
    late: lateness.record,
    queued() {
      queued++
    },
    result() {
      const { user, system } = process.cpuUsage(cpuAtStart)
      return {
        delivered: latencies.count * events,
        refused,
        seconds: (performance.now() - start) / 1000,
        p50: latencies.quantile(0.5),
        p99: latencies.quantile(0.99),
        p999: latencies.quantile(0.999),
        cpu: (user + system) / 1e6,
        lateP99: lateness.count === 0 ? 0 : lateness.quantile(0.99),
        queued: lateness.count === 0 ? 0 : queued / lateness.count,
      }
    },
  }
}

/** Latencies of any number of events, in little memory, each to half a percent. */
interface Latencies {
  record(milliseconds: number): void
  /** NaN if there are none. */
  quantile(q: number): number
  readonly count: number
}

/** The upper bound of a bucket relative to that of the one before. */
const STEP = Math.log(1.01)
/** A microsecond in milliseconds: the end of the first bucket. */
const FIRST = 0.001
/** Up to some 1,000 s. */
const BUCKETS = 2100

export function createLatencies(): Latencies {
  const counts = new Float64Array(BUCKETS)
  let count = 0
  return {
    record(milliseconds) {
      const bucket = Math.ceil(Math.log(milliseconds / FIRST) / STEP)
      // 0 and less has no logarithm.
      const index = bucket > 0 ? Math.min(bucket, BUCKETS - 1) : 0
      counts[index] = (counts[index] ?? 0) + 1
      count++
    },
    quantile(q) {
      let left = Math.ceil(q * count)
      if (count === 0) return Number.NaN
      for (let index = 0; index < BUCKETS; index++) {
        left -= counts[index] ?? 0
        // The middle of the bucket.
        if (left <= 0) return FIRST * Math.exp((index - 0.5) * STEP)
      }
      return Number.NaN
    },
    get count() {
      return count
    },
  }
}
