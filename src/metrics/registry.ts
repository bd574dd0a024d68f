import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Gauge, MetricDeclaration, Metrics } from '../contract/index.js'
import { type CounterCell, Family, type HistogramCell, type Labels, type Series } from './families.js'
import { GaugeFamily, type GaugeValue, GaugeValues } from './gauges.js'

export type { Series } from './families.js'
export type { GaugeValue } from './gauges.js'

type LabelsOf<Label extends string> = { readonly [label in Label]: string }

/**
 * The metrics that a part of the process asks for. A metric that is asked for twice is the same one, and is shown from then
 * on with 0. Labels are given once, at load: the path of an event only counts.
 */
export interface MetricsRegistry {
  counter<Label extends string>(declaration: MetricDeclaration<Label>, labels: LabelsOf<Label>): CounterCell
  histogram<Label extends string>(
    declaration: MetricDeclaration<Label>,
    labels: LabelsOf<Label>,
  ): HistogramCell
  /** Labels are given with each value. */
  gauge<Label extends string>(declaration: MetricDeclaration<Label>): ScopedGauge<Label>
  /** A gauge whose value is read at every scrape; undefined leaves it out. The last reader of a label set counts. */
  sampled<Label extends string>(
    declaration: MetricDeclaration<Label>,
    labels: LabelsOf<Label>,
    read: () => number | undefined,
  ): void
  /** The same metrics for a part that comes and goes. */
  scope(): MetricsScope
}

export interface ScopedGauge<Label extends string = string> {
  set(labels: LabelsOf<Label>, value: number): void
  remove(labels: LabelsOf<Label>): void
}

/** All metrics of a process, which another process can add to its own. */
export class ProcessMetrics implements MetricsRegistry {
  readonly registry = new Registry()
  readonly #counters = new Map<string, Family<CounterCell>>()
  readonly #histograms = new Map<string, Family<HistogramCell>>()
  readonly #gauges = new Map<string, GaugeFamily>()
  readonly #whole: MetricsScope
  #others: () => readonly GaugeValue[] = () => []

  constructor() {
    this.#whole = this.scope()
    this.#whole.show()
  }

  counter<Label extends string>(declaration: MetricDeclaration<Label>, labels: LabelsOf<Label>): CounterCell {
    return this.#whole.counter(declaration, labels)
  }

  histogram<Label extends string>(
    declaration: MetricDeclaration<Label>,
    labels: LabelsOf<Label>,
  ): HistogramCell {
    return this.#whole.histogram(declaration, labels)
  }

  gauge<Label extends string>(declaration: MetricDeclaration<Label>): ScopedGauge<Label> {
    return this.#whole.gauge(declaration)
  }

  sampled<Label extends string>(
    declaration: MetricDeclaration<Label>,
    labels: LabelsOf<Label>,
    read: () => number | undefined,
  ): void {
    this.#whole.sampled(declaration, labels, read)
  }

  scope(): MetricsScope {
    return new MetricsScope({
      counters: (declaration) =>
        getOrCreate(this.#counters, declaration, () => Family.ofCounters(this.registry, declaration)),
      histograms: (declaration) =>
        getOrCreate(this.#histograms, declaration, () => Family.ofHistograms(this.registry, declaration)),
      gauges: (declaration) =>
        getOrCreate(
          this.#gauges,
          declaration,
          () => new GaugeFamily(this.registry, declaration, () => this.#others()),
        ),
    })
  }

  /** The values of these metrics now: those of the other processes too, as far as they have been added. */
  read(declarations: readonly MetricDeclaration[]): Series[] {
    return declarations.flatMap((declaration): Series[] => {
      const { name, type } = declaration
      if (type !== 'gauge') return (this.#counters.get(name) ?? this.#histograms.get(name))?.series() ?? []
      const samples = this.#gauges.get(name)?.samples() ?? []
      return samples.map(({ sharedLabels, value }) => ({
        declaration,
        labels: sharedLabels,
        values: [value],
      }))
    })
  }

  /** The counts since the last call. They begin at 0 again. */
  take(): Series[] {
    return [...this.#counters.values(), ...this.#histograms.values()].flatMap((family: Family) =>
      family.take(),
    )
  }

  /**
   * Adds the samples of another process. `scopeOf`: the scope of a series that is not shown yet; undefined drops the
   * series.
   */
  add(series: readonly Series[], scopeOf: (labels: Labels) => MetricsRegistry | undefined): void {
    for (const { declaration, labels, values } of series) {
      const kind = declaration.type === 'counter' ? 'counter' : 'histogram'
      const families = kind === 'counter' ? this.#counters : this.#histograms
      const shown = families.get(declaration.name)?.find(labels)
      ;(shown ?? scopeOf(labels)?.[kind](declaration, labels))?.add(values)
    }
  }

  /** Shows these values of other processes together with those of the gauges that are declared here, at every scrape. */
  alsoShow(read: () => readonly GaugeValue[]): void {
    this.#others = read
  }
}

/** The families of a process, each made when it is first asked for. */
interface Families {
  counters(declaration: MetricDeclaration): Family<CounterCell>
  histograms(declaration: MetricDeclaration): Family<HistogramCell>
  gauges(declaration: MetricDeclaration): GaugeFamily
}

/**
 * The metrics of one part of the process. A series is shown for as long as any scope that asked for it is open, and goes on
 * where the one before stopped counting.
 */
export class MetricsScope implements MetricsRegistry {
  readonly #families: Families
  readonly #held = new Map<string, { readonly cell: CounterCell | HistogramCell; release(): void }>()
  readonly #gauges = new Map<string, { readonly family: GaugeFamily; readonly values: GaugeValues }>()
  #shown = false

  constructor(families: Families) {
    this.#families = families
  }

  counter<Label extends string>(declaration: MetricDeclaration<Label>, labels: LabelsOf<Label>): CounterCell {
    return this.#hold(declaration, this.#families.counters(declaration), labels)
  }

  histogram<Label extends string>(
    declaration: MetricDeclaration<Label>,
    labels: LabelsOf<Label>,
  ): HistogramCell {
    return this.#hold(declaration, this.#families.histograms(declaration), labels)
  }

  gauge<Label extends string>(declaration: MetricDeclaration<Label>): ScopedGauge<Label> {
    const values = this.#valuesOf(declaration)
    return {
      set: (labels, value) => values.set(labels, () => value),
      remove: (labels) => values.remove(labels),
    }
  }

  sampled<Label extends string>(
    declaration: MetricDeclaration<Label>,
    labels: LabelsOf<Label>,
    read: () => number | undefined,
  ): void {
    this.#valuesOf(declaration).set(labels, read)
  }

  scope(): MetricsScope {
    return new MetricsScope(this.#families)
  }

  /** From now on its gauges are shown, in front of those of older scopes: until then its part may never come to run. */
  show(): void {
    this.#shown = true
    for (const { family, values } of this.#gauges.values()) family.show(values)
  }

  close(): void {
    this.#shown = false
    for (const { family, values } of this.#gauges.values()) family.hide(values)
    for (const { release } of this.#held.values()) release()
    this.#held.clear()
  }

  /** The values of its gauges now. */
  gauges(): GaugeValue[] {
    return [...this.#gauges.values()].flatMap(({ values }) => values.values())
  }

  #hold<Kind extends CounterCell | HistogramCell>(
    { name }: MetricDeclaration,
    family: Family<Kind>,
    labels: Labels,
  ): Kind {
    const key = `${name} ${JSON.stringify(labels)}`
    const held = this.#held.get(key) ?? { cell: family.hold(labels), release: () => family.release(labels) }
    this.#held.set(key, held)
    return held.cell as Kind
  }

  #valuesOf(declaration: MetricDeclaration): GaugeValues {
    const { name } = declaration
    const present = this.#gauges.get(name)
    if (present !== undefined) return present.values
    const family = this.#families.gauges(declaration)
    const values = new GaugeValues(name)
    this.#gauges.set(name, { family, values })
    if (this.#shown) family.show(values)
    return values
  }
}

function getOrCreate<One>(all: Map<string, One>, { name }: MetricDeclaration, create: () => One): One {
  const one = all.get(name) ?? create()
  all.set(name, one)
  return one
}

/** Node's own metrics of this process. */
export function showRuntime(registry: Registry): void {
  // The monitor of the event loop's lag wakes the process at its resolution; 10 ms, the default, shows in an idle one. A lag that
  // matters is longer.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 250 })
}

/** The metrics that a plugin sees: every label set has these `fixed` labels in it. */
export function pluginMetrics(metrics: MetricsRegistry, fixed: Labels): Metrics {
  return {
    counters(declaration, values) {
      const [label = ''] = Object.keys(declaration.labels)
      const counter = (value: string) => metrics.counter<string>(declaration, { ...fixed, [label]: value })
      const cells = values.map((value) => [value, counter(value)])
      return Object.fromEntries(cells)
    },
    gauge<Label extends string>(declaration: MetricDeclaration<Label>): Gauge<Label> {
      const gauge = metrics.gauge<string>(declaration)
      const shown = new Map<string, Labels>()
      return {
        set(value, labels) {
          const all: Labels = { ...fixed, ...labels }
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
