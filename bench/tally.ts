import { createLatencies } from './latencies.js'
import type { LoadResult } from './load-order.js'

/** What has come of an order so far. */
export interface Tally {
  delivered(): number
  answered(status: string, milliseconds: number): void
  /** Milliseconds that the generator was late by. */
  late(milliseconds: number): void
  queued(): void
  result(): LoadResult
}

export function createTally(): Tally {
  const latencies = createLatencies()
  const lateness = createLatencies()
  const refused: { [status: string]: number } = {}
  const start = performance.now()
  const cpuAtStart = process.cpuUsage()
  let queued = 0
  return {
    delivered: () => latencies.count,
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
        delivered: latencies.count,
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
