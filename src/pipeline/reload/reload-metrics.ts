import type { MetricsRegistry } from '../../metrics/registry.js'
import { METRICS } from '../../metrics/table.js'

const RESULTS = ['success', 'unchanged', 'failure'] as const

/** What can be seen of reloads from outside. */
export interface ReloadMetrics {
  came(result: (typeof RESULTS)[number]): void
  /** This config could be used, and is what runs. */
  running(revision: string): void
}

export function reloadMetrics(metrics: MetricsRegistry, successful: () => boolean): ReloadMetrics {
  const counter = (result: string) => metrics.counter(METRICS.configReloadsTotal, { result })
  const counters = new Map(RESULTS.map((result) => [result, counter(result)]))
  const info = metrics.gauge(METRICS.configRevisionInfo)
  let present: string | undefined
  let succeededAt = 0
  metrics.sampled(METRICS.configLastReloadSuccessful, {}, () => (successful() ? 1 : 0))
  metrics.sampled(METRICS.configLastReloadSuccessTimestampSeconds, {}, () => succeededAt / 1000)
  return {
    came: (result) => counters.get(result)?.inc(),
    running(revision) {
      if (present !== undefined) info.remove({ revision: present })
      present = revision
      info.set({ revision }, 1)
      succeededAt = Date.now()
    },
  }
}
