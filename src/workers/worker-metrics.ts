import type { GaugeValue, ProcessMetrics } from '../metrics/registry.js'
import type { Report } from './messages.js'

/** In seconds, user and system. */
export const CPU_SECONDS = {
  name: 'worker_cpu_seconds_total',
  help: 'CPU time of a worker and of those before it in its place; that of the primary process is process_cpu_seconds_total.',
} as const

/** A gauge, of which each worker has its own value. */
export const RESIDENT_MEMORY = 'worker_resident_memory_bytes'

/** Declares what is measured of workers. `reports`: of each that is up. What gauges they have is added to those of this process. */
export function showWorkers(
  metrics: ProcessMetrics,
  count: number,
  reports: () => readonly (Report | undefined)[],
): { restarted(): void } {
  metrics.sampled('workers', 'Workers that take events.', {}, () => reports().length)
  metrics.sampled(
    'workers_configured',
    'How many there are to be, as HEADGATE_WORKERS says.',
    {},
    () => count,
  )
  for (let place = 1; place <= count; place++) {
    metrics.counter(CPU_SECONDS.name, CPU_SECONDS.help, { worker: String(place) })
  }
  metrics.gauge(
    RESIDENT_MEMORY,
    'Resident memory of a worker; that of the primary process is process_resident_memory_bytes.',
    ['worker'],
  )
  metrics.alsoShow(() => reports().flatMap((report): readonly GaugeValue[] => report?.gauges ?? []))
  const restarts = metrics.counter(
    'worker_restarts_total',
    'Workers that ended by themselves and were replaced, or were to be.',
    {},
  )
  return { restarted: () => restarts.inc() }
}
