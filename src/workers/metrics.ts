import type { Listener } from '../http/listener.js'
import type { GaugeValue, ProcessMetrics } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import { notReady } from '../pipeline/lifecycle.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import type { Report } from './messages.js'

export interface ReportedWorker {
  readonly worker: string
  readonly metrics: ProcessMetrics
  readonly usage: Listener['usage']
  pipelines(): readonly Pipeline[]
}

/** Makes the reports of a worker: each says what was counted since the one before. */
export function reporter({ worker, metrics, usage, pipelines }: ReportedWorker): () => Report {
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
        notReady(pipeline).map((reason) => `worker ${worker}: ${pipeline.name}: ${reason}`),
      ),
    }
  }
}

/** What has begun here and was not handed over yet, and what the plugins show that do something here. */
function gaugesOf({ name, runtime, stages }: Pipeline): GaugeValue[] {
  const value = [...runtime.live].reduce((sum, { traffic }) => sum + traffic.inFlight(), 0)
  const shown = [stages.source, ...stages.transforms, ...stages.postCommit.map(({ stage }) => stage)]
  return [
    { name: METRICS.inflightEvents.name, labels: { pipeline: name }, value },
    ...shown.flatMap(({ metrics }) => metrics.gauges()),
  ]
}
