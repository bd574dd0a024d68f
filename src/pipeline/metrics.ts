import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Metrics } from '../plugin.js'
import {
  type CounterCell,
  counterFamily,
  type Family,
  type HistogramCell,
  histogramFamily,
} from './metric-families.js'

type Labels = Readonly<{ [label: string]: string }>

/**
 * The metrics of the process. A metric that is asked for twice is the same one; what is asked for is shown from then
 * on with 0. Labels are given once, at load: the path of an event only counts.
 */
export interface MetricsRegistry {
  readonly registry: Registry
  counter(name: string, help: string, labels: Labels): CounterCell
  histogram(name: string, help: string, labels: Labels): HistogramCell
  /** Labels are given with each value. */
  gauge(name: string, help: string, labelNames: readonly string[]): Gauge
  /** A gauge whose value is read at every scrape; undefined leaves it out. The last reader of a label set counts. */
  sampled(name: string, help: string, labels: Labels, read: () => number | undefined): void
}

/** Seconds: from a fraction of a stage to the patience of a sender. */
const BUCKETS = [
  0.00001, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  300,
]

export function createMetrics(): MetricsRegistry {
  const registry = new Registry()
  // The monitor of the event loop's lag wakes the process at its resolution; 10 ms, the default, shows in an idle one.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 })
  const counters = new Map<string, Family<CounterCell>>()
  const histograms = new Map<string, Family<HistogramCell>>()
  const gauges = new Map<string, Gauge>()
  const registers = [registry]
  const readers = new Map<string, Map<string, () => void>>()
  return {
    registry,
    counter: (name, help, labels) =>
      once(counters, name, (full) => counterFamily(registry, full, help)).cell(labels),
    histogram: (name, help, labels) =>
      once(histograms, name, (full) => histogramFamily(registry, full, help, BUCKETS)).cell(labels),
    gauge(name, help, labelNames) {
      return once(
        gauges,
        name,
        (full) => new Gauge({ name: full, help, labelNames: [...labelNames], registers }),
      )
    },
    sampled(name, help, labels, read) {
      const known = readers.get(name) ?? new Map<string, () => void>()
      readers.set(name, known)
      const gauge = once(gauges, name, (full) => {
        const collect = () => {
          gauge.reset()
          for (const report of known.values()) report()
        }
        return new Gauge({ name: full, help, labelNames: Object.keys(labels), registers, collect })
      })
      known.set(JSON.stringify(labels), () => {
        const value = read()
        if (value !== undefined) gauge.set(labels, value)
      })
    },
  }
}

function once<Metric>(known: Map<string, Metric>, name: string, make: (full: string) => Metric): Metric {
  const metric = known.get(name) ?? make(`headgate_${name}`)
  known.set(name, metric)
  return metric
}

/** The metrics that a plugin sees: every label set has the pipeline in it. */
export function pluginMetrics(metrics: MetricsRegistry, pipeline: string): Metrics {
  return {
    counters(name, help, label, values) {
      const cells = values.map((value) => [value, metrics.counter(name, help, { pipeline, [label]: value })])
      return Object.fromEntries(cells)
    },
    gauge(name, help, labels = []) {
      const gauge = metrics.gauge(name, help, ['pipeline', ...labels])
      const shown = new Map<string, Labels>()
      return {
        set(value, values = {}) {
          const all = { pipeline, ...values }
          shown.set(JSON.stringify(all), all)
          gauge.set(all, value)
        },
        clear() {
          for (const all of shown.values()) gauge.remove(all)
          shown.clear()
        },
      }
    },
  }
}
