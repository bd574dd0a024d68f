import type { Listener } from '../http/listener.js'
import type { GaugeValue, ProcessMetrics } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import { notReady, startOrder } from '../pipeline/lifecycle.js'
import type { WorkerPipeline } from '../pipeline/pipeline.js'
import type { Report } from './messages.js'

/**
 * In the primary process: shows the metrics of the workers. `reports`: the last ones of the running workers; their gauges are
 * added to those of this process.
 */
export function showWorkers(
  metrics: ProcessMetrics,
  count: number,
  reports: () => readonly (Report | undefined)[],
): { restarted(): void } {
  metrics.sampled(METRICS.workers, {}, () => reports().length)
  metrics.sampled(METRICS.workersConfigured, {}, () => count)
  for (let slot = 1; slot <= count; slot++)
    metrics.counter(METRICS.workerCpuSecondsTotal, { worker: String(slot) })
  metrics.gauge(METRICS.workerResidentMemoryBytes)
  metrics.alsoShow(() => reports().flatMap((report): readonly GaugeValue[] => report?.gauges ?? []))
  const restarts = metrics.counter(METRICS.workerRestartsTotal, {})
  return { restarted: () => restarts.inc() }
}

export interface ReporterOptions {
  readonly worker: string
  readonly metrics: ProcessMetrics
  readonly usage: Listener['usage']
  pipelines(): readonly WorkerPipeline[]
}

/** In a worker: makes its reports. Each has the counts since the one before. */
export function createReporter({ worker, metrics, usage, pipelines }: ReporterOptions): () => Report {
  const cpu = metrics.counter(METRICS.workerCpuSecondsTotal, { worker })
  let before = 0
  return () => {
    const { user, system } = process.cpuUsage()
    const seconds = (user + system) / 1e6
    cpu.inc(seconds - before)
    before = seconds
    const { connections, bodyBytes } = usage()
    const all = pipelines()
    return {
      counts: metrics.take(),
      gauges: [
        { name: METRICS.httpConnections.name, labels: {}, value: connections },
        { name: METRICS.httpBodyBytes.name, labels: {}, value: bodyBytes },
        {
          name: METRICS.workerResidentMemoryBytes.name,
          labels: { worker },
          value: process.memoryUsage.rss(),
        },
        ...all.flatMap(gaugesOf),
      ],
      notReady: all.flatMap((pipeline) =>
        notReady(startOrder(pipeline)).map((reason) => `worker ${worker}: ${pipeline.name}: ${reason}`),
      ),
    }
  }
}

/** Events that this worker has not sent to the primary process yet, and the gauges of its plugins. */
function gaugesOf({ name, stages, runtime }: WorkerPipeline): GaugeValue[] {
  const value = [...runtime.live].reduce((sum, { traffic }) => sum + traffic.inFlight(), 0)
  const { source, transforms, postCommit } = stages
  const shown = [source, ...transforms, ...postCommit]
  return [
    { name: METRICS.inflightEvents.name, labels: { pipeline: name }, value },
    ...shown.flatMap(({ metrics }) => metrics.gauges()),
  ]
}
