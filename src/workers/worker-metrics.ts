import type { GaugeValue, ProcessMetrics } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import type { Report } from './messages.js'

/** Shows the workers. `reports`: of each that runs; its gauges are added to those of this process. */
export function showWorkers(
  metrics: ProcessMetrics,
  count: number,
  reports: () => readonly (Report | undefined)[],
): { restarted(): void } {
  metrics.sampled(METRICS.workers, {}, () => reports().length)
  metrics.sampled(METRICS.workersConfigured, {}, () => count)
  for (let worker = 1; worker <= count; worker++)
    metrics.counter(METRICS.workerCpuSecondsTotal, { worker: String(worker) })
  metrics.gauge(METRICS.workerResidentMemoryBytes)
  metrics.alsoShow(() => reports().flatMap((report): readonly GaugeValue[] => report?.gauges ?? []))
  const restarts = metrics.counter(METRICS.workerRestartsTotal, {})
  return { restarted: () => restarts.inc() }
}
