import type { Listener } from '../http/listener.js'
import type { GaugeValue, ProcessMetrics } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import { type Part, partsInSteps } from '../pipeline/lifecycle.js'
import { stagesOf } from '../pipeline/pipeline.js'
import type { BuiltStage } from '../pipeline/stage.js'
import type { NotReady, Report } from './messages.js'
import type { InWorker } from './worker-config.js'

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
  /** Of what stages share. */
  sharedGauges(): readonly GaugeValue[]
  pipelines(): readonly InWorker[]
}

/** In a worker: makes its reports. Each has the counts since the one before. */
export function createReporter({
  worker,
  metrics,
  usage,
  sharedGauges,
  pipelines,
}: ReporterOptions): () => Report {
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
        ...sharedGauges(),
      ],
      notReady: all.flatMap((pipeline) =>
        partsInSteps(pipeline)
          .flat()
          .flatMap((part) => reasonsOf(pipeline.name, part)),
      ),
    }
  }
}

const reasonsOf = (pipeline: string, part: Part): NotReady[] =>
  part.notReady().map((reason) => ({
    pipeline,
    ...(part.kind !== 'ledger' && { part: (part.subject as BuiltStage).name }),
    reason,
  }))

/**
 * Of a whole pipeline, all of them. Of another, the events that this worker has not sent to the primary process yet, and the gauges of
 * its plugins.
 */
function gaugesOf(pipeline: InWorker): GaugeValue[] {
  const { name, stages, runtime } = pipeline
  if (pipeline.role === 'whole') {
    const scopes = [...stagesOf(pipeline), ...pipeline.acknowledgers, pipeline, runtime]
    return scopes.flatMap(({ metrics }) => metrics.gauges())
  }
  const value = [...runtime.live].reduce((sum, { traffic }) => sum + traffic.inFlight(), 0)
  const { source, transforms, postCommit } = stages
  const shown = [source, ...transforms, ...postCommit]
  return [
    { name: METRICS.inflightEvents.name, labels: { pipeline: name }, value },
    ...shown.flatMap(({ metrics }) => metrics.gauges()),
  ]
}
