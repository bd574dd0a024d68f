import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Metrics, Together } from '../contract/index.js'
import {
  type CounterCell,
  counterFamily,
  type Family,
  type HistogramCell,
  histogramFamily,
} from './families.js'

type Labels = Readonly<{ [label: string]: string }>

/**
 * The metrics of the process. A metric that is asked for twice is the same one; what is asked for is shown from then
 * on with 0. Labels are given once, at load: the path of an event only counts.
 */
export interface MetricsRegistry {
  readonly registry: Registry
  counter(name: string, help: string, labels: Labels): CounterCell
  histogram(name: string, help: string, labels: Labels): HistogramCell
  /** Labels are given with each value. `together`: what it shows with those of other processes; without it, the sum. */
  gauge(name: string, help: string, labelNames: readonly string[], together?: Together): ScopedGauge
  /** A gauge whose value is read at every scrape; undefined leaves it out. The last reader of a label set counts. */
  sampled(name: string, help: string, labels: Labels, read: () => number | undefined): void
  /** The same metrics for something that comes and goes. */
  scope(): MetricsScope
}

/** What another process has counted, of one series. */
export interface Counts {
  readonly kind: 'counter' | 'histogram'
  readonly name: string
  readonly help: string
  readonly labels: Labels
  /** As `metric-families.ts` has them. */
  readonly values: readonly number[]
}

/** A value of a gauge. */
export interface GaugeValue {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

/** The metrics of a process, which can be counted on in another one. */
export interface ProcessMetrics extends MetricsRegistry {
  /** What has been counted since the last call. It begins at 0 again. */
  take(): Counts[]
  /** Counts on where another process has. `scopeOf`: who shows a series that there is not yet; undefined for nobody. */
  add(counts: readonly Counts[], scopeOf: (labels: Labels) => MetricsRegistry | undefined): void
  /** Shows these values of other processes together with those of the gauges that are known here, at every scrape. */
  alsoShow(read: () => readonly GaugeValue[]): void
}

/**
 * What one part of the process asks for. A series is shown for as long as any scope that asked for it is open, and goes
 * on where the one before stopped counting.
 */
export interface MetricsScope extends MetricsRegistry {
  /** From now on its gauges are shown, in front of those of older scopes: until then it may never come to run. */
  show(): void
  close(): void
  /** The values of its gauges now. */
  gauges(): GaugeValue[]
}

export interface ScopedGauge {
  set(labels: Labels, value: number): void
  remove(labels: Labels): void
}

/**
 * Seconds. Each bucket is a series of every pipeline, and of stages of every stage of every pipeline: those only tell which
 * stage takes the time.
 */
const BUCKETS: { readonly [name: string]: readonly number[] } = {
  stage_duration_seconds: [0.001, 0.01, 0.1, 1],
  commit_duration_seconds: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
  // From an answer at once to a sender that is down.
  ack_duration_seconds: [0.025, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600],
}
const OTHER_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60]

/** The values of one gauge that a scope has to show. */
interface Shown {
  readonly name: string
  readonly values: Map<string, { readonly labels: Labels; read(): number | undefined }>
}

export function createMetrics(): ProcessMetrics {
  const registry = new Registry()
  const counters = new Map<string, Family<CounterCell>>()
  const histograms = new Map<string, Family<HistogramCell>>()
  const gauges = new Map<string, Gauge>()
  const helps = new Map<string, string>()
  /** Those that are shown, oldest first. */
  const scopes = new Set<readonly Shown[]>()
  let others: () => readonly GaugeValue[] = () => []

  const counterOf = (name: string, help: string) =>
    once(counters, name, (full) => {
      helps.set(name, help)
      return counterFamily(registry, full, help)
    })
  const histogramOf = (name: string, help: string) =>
    once(histograms, name, (full) => {
      helps.set(name, help)
      return histogramFamily(registry, full, help, BUCKETS[name] ?? OTHER_BUCKETS)
    })
  const declareGauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    together: Together,
  ): void =>
    void once(gauges, name, (full) => {
      const collect = () => {
        gauge.reset()
        const here = [...scopes].flatMap((shown) =>
          shown.filter((one) => one.name === name).flatMap(valuesOf),
        )
        const elsewhere = others().filter((one) => one.name === name)
        for (const { labels, value } of combined(here, elsewhere, TOGETHER[together]))
          gauge.set(labels, value)
      }
      const gauge: Gauge = new Gauge({
        name: full,
        help,
        labelNames: [...labelNames],
        registers: [registry],
        collect,
      })
      return gauge
    })

  function scope(): MetricsScope {
    const held = new Map<string, { readonly cell: CounterCell | HistogramCell; release(): void }>()
    const shown: Shown[] = []
    const hold = <Kind extends CounterCell | HistogramCell>(
      name: string,
      family: Family<Kind>,
      labels: Labels,
    ): Kind => {
      const key = `${name} ${JSON.stringify(labels)}`
      const known = held.get(key) ?? { cell: family.hold(labels), release: () => family.release(labels) }
      held.set(key, known)
      return known.cell as Kind
    }
    const gaugeOf = (
      name: string,
      help: string,
      labelNames: readonly string[],
      together: Together = 'sum',
    ): Shown => {
      declareGauge(name, help, labelNames, together)
      const known = shown.find((one) => one.name === name) ?? { name, values: new Map() }
      if (!shown.includes(known)) shown.push(known)
      return known
    }
    return {
      registry,
      counter: (name, help, labels) => hold(name, counterOf(name, help), labels),
      histogram: (name, help, labels) => hold(name, histogramOf(name, help), labels),
      gauge(name, help, labelNames, together) {
        const { values } = gaugeOf(name, help, labelNames, together)
        return {
          set: (labels, value) => void values.set(JSON.stringify(labels), { labels, read: () => value }),
          remove: (labels) => void values.delete(JSON.stringify(labels)),
        }
      },
      sampled(name, help, labels, read) {
        gaugeOf(name, help, Object.keys(labels)).values.set(JSON.stringify(labels), { labels, read })
      },
      scope,
      show: () => void scopes.add(shown),
      close() {
        scopes.delete(shown)
        for (const { release } of held.values()) release()
        held.clear()
      },
      gauges: () => shown.flatMap(valuesOf),
    }
  }
  const taken = (kind: Counts['kind'], families: ReadonlyMap<string, Family<CounterCell | HistogramCell>>) =>
    [...families].flatMap(([name, family]) =>
      family.take().map((series) => ({ kind, name, help: helps.get(name) ?? '', ...series })),
    )
  const whole = scope()
  whole.show()
  return {
    ...whole,
    take: () => [...taken('counter', counters), ...taken('histogram', histograms)],
    add(counts, scopeOf) {
      for (const { kind, name, help, labels, values } of counts) {
        const known = (kind === 'counter' ? counters : histograms).get(name)?.find(labels)
        ;(known ?? scopeOf(labels)?.[kind](name, help, labels))?.add(values)
      }
    },
    alsoShow(read) {
      others = read
    },
  }
}

/** Node's own metrics of this process. */
export function showRuntime({ registry }: MetricsRegistry): void {
  // The monitor of the event loop's lag wakes the process at its resolution; 10 ms, the default, shows in an idle one. A lag that
  // matters is longer.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 250 })
}

const TOGETHER: { readonly [how in Together]: (one: number, other: number) => number } = {
  sum: (one, other) => one + other,
  greatest: Math.max,
}

/** Of those here that have the same labels the last counts, and with it all of those elsewhere. */
function combined(
  here: readonly GaugeValue[],
  elsewhere: readonly GaugeValue[],
  together: (one: number, other: number) => number,
): Iterable<GaugeValue> {
  const values = new Map(here.map((one) => [JSON.stringify(one.labels), one]))
  for (const one of elsewhere) {
    const key = JSON.stringify(one.labels)
    const before = values.get(key)
    values.set(key, before === undefined ? one : { ...one, value: together(before.value, one.value) })
  }
  return values.values()
}

const valuesOf = ({ name, values }: Shown): GaugeValue[] =>
  [...values.values()].flatMap(({ labels, read }) => {
    const value = read()
    return value === undefined ? [] : [{ name, labels, value }]
  })

function once<Metric>(known: Map<string, Metric>, name: string, make: (full: string) => Metric): Metric {
  const metric = known.get(name) ?? make(`headgate_${name}`)
  known.set(name, metric)
  return metric
}

/** The metrics that a plugin sees: every label set has these `fixed` labels in it. */
export function pluginMetrics(metrics: MetricsRegistry, fixed: Labels): Metrics {
  return {
    counters(name, help, label, values) {
      const cells = values.map((value) => [value, metrics.counter(name, help, { ...fixed, [label]: value })])
      return Object.fromEntries(cells)
    },
    gauge(name, help, labels = [], together = 'sum') {
      const gauge = metrics.gauge(name, help, [...Object.keys(fixed), ...labels], together)
      const shown = new Map<string, Labels>()
      return {
        set(value, values = {}) {
          const all = { ...fixed, ...values }
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
