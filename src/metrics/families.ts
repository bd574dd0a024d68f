import type { Metric, Registry } from 'prom-client'
import type { MetricDeclaration } from '../contract/index.js'

export type Labels = Readonly<{ [label: string]: string }>

/**
 * One line of a scrape. prom-client formats `sharedLabels` once for each object and keeps the text, which is most of the
 * work of a scrape: 60 pipelines have 4,000 lines.
 */
export interface Sample {
  readonly value: number
  readonly sharedLabels: Labels
  readonly labels?: Labels
  readonly metricName?: string
}

/** A counter whose labels are fixed. */
export class CounterCell {
  readonly #labels: Labels
  #count = 0

  constructor(labels: Labels) {
    this.#labels = labels
  }

  inc(count = 1): void {
    this.#count += count
  }

  samples(): Sample[] {
    return [{ value: this.#count, sharedLabels: this.#labels }]
  }

  values(): readonly number[] {
    return [this.#count]
  }

  /** Its count since the last call, which begins at 0 again. */
  take(): readonly number[] {
    const count = this.#count
    this.#count = 0
    return [count]
  }

  /** Adds the values that a counter of another process has taken. */
  add([count = 0]: readonly number[]): void {
    this.#count += count
  }
}

/** A histogram whose labels are fixed. */
export class HistogramCell {
  readonly #labels: Labels
  readonly #buckets: Buckets
  readonly #counts: Float64Array
  #sum = 0

  constructor(labels: Labels, buckets: Buckets) {
    this.#labels = labels
    this.#buckets = buckets
    this.#counts = new Float64Array(buckets.bounds.length + 1)
  }

  observe(value: number): void {
    const { bounds } = this.#buckets
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#sum += value
  }

  samples(): Sample[] {
    const { names, upTo } = this.#buckets
    const sharedLabels = this.#labels
    const samples: Sample[] = []
    let total = 0
    for (const [bucket, count] of this.#counts.entries()) {
      total += count
      samples.push({ value: total, sharedLabels, labels: upTo[bucket] as Labels, metricName: names.bucket })
    }
    samples.push({ value: this.#sum, sharedLabels, metricName: names.sum })
    samples.push({ value: total, sharedLabels, metricName: names.count })
    return samples
  }

  /** The count of each bucket, and the sum. */
  values(): readonly number[] {
    return [...this.#counts, this.#sum]
  }

  /** The same since the last call. They begin at 0 again. */
  take(): readonly number[] {
    const values = this.values()
    this.#counts.fill(0)
    this.#sum = 0
    return values
  }

  /** Adds the values that a histogram of another process has taken. */
  add(values: readonly number[]): void {
    for (const bucket of this.#counts.keys())
      this.#counts[bucket] = (this.#counts[bucket] as number) + (values[bucket] ?? 0)
    this.#sum += values[this.#counts.length] ?? 0
  }
}

/** The shared state of all histograms of one declaration. */
class Buckets {
  readonly bounds: Float64Array
  readonly upTo: readonly Labels[]
  readonly names: { readonly bucket: string; readonly sum: string; readonly count: string }

  constructor(name: string, bounds: readonly number[]) {
    this.bounds = Float64Array.from(bounds)
    this.upTo = [...bounds.map(String), '+Inf'].map((le) => ({ le }))
    this.names = { bucket: `${name}_bucket`, sum: `${name}_sum`, count: `${name}_count` }
  }
}

export const fullName = ({ name }: MetricDeclaration): string => `headgate_${name}`

/** Registers a metric that makes its samples when it is scraped; prom-client has types for its own classes only. */
export function registerSamples(
  registry: Registry,
  declaration: MetricDeclaration,
  samples: () => readonly Sample[],
): void {
  const about = {
    name: fullName(declaration),
    help: declaration.help,
    type: declaration.type,
    aggregator: 'sum',
  }
  const registered = { ...about, get: async () => ({ ...about, values: samples() }), reset() {} }
  registry.registerMetric(registered as unknown as Metric)
}

type Cell = CounterCell | HistogramCell

/** The counts of one label set in a family. */
export interface Series {
  readonly declaration: MetricDeclaration
  readonly labels: Labels
  /** Of a counter its count, of a histogram the count of each bucket and the sum, of a gauge its value. */
  readonly values: readonly number[]
}

/**
 * Counters and histograms for prom-client's registry whose cells are plain fields. prom-client's own look their labels up
 * at every call; a dozen calls an event were 6 of its 100 us.
 */
export class Family<Kind extends Cell = Cell> {
  readonly #declaration: MetricDeclaration
  readonly #newCell: (labels: Labels) => Kind
  readonly #cells = new Map<string, { readonly labels: Labels; readonly cell: Kind; holders: number }>()

  private constructor(registry: Registry, declaration: MetricDeclaration, newCell: (labels: Labels) => Kind) {
    this.#declaration = declaration
    this.#newCell = newCell
    registerSamples(registry, declaration, () =>
      [...this.#cells.values()].flatMap(({ cell }) => cell.samples()),
    )
  }

  static ofCounters(registry: Registry, declaration: MetricDeclaration): Family<CounterCell> {
    return new Family(registry, declaration, (labels) => new CounterCell(labels))
  }

  static ofHistograms(registry: Registry, declaration: MetricDeclaration): Family<HistogramCell> {
    const buckets = new Buckets(fullName(declaration), declaration.buckets ?? [])
    return new Family(registry, declaration, (labels) => new HistogramCell(labels, buckets))
  }

  /** The cell of a label set; its holder gives it back with `release`. */
  hold(labels: Labels): Kind {
    const key = JSON.stringify(labels)
    const held = this.#cells.get(key) ?? { labels, cell: this.#newCell(labels), holders: 0 }
    held.holders++
    this.#cells.set(key, held)
    return held.cell
  }

  /** A cell that has no holder any more is no longer shown. */
  release(labels: Labels): void {
    const key = JSON.stringify(labels)
    const held = this.#cells.get(key)
    if (held !== undefined && --held.holders === 0) this.#cells.delete(key)
  }

  /** The cell of a label set that has a holder. */
  find(labels: Labels): Kind | undefined {
    return this.#cells.get(JSON.stringify(labels))?.cell
  }

  /** All counts. */
  series(): Series[] {
    const declaration = this.#declaration
    return [...this.#cells.values()].map(({ labels, cell }) => ({
      declaration,
      labels,
      values: cell.values(),
    }))
  }

  /** The counts since the last call, without those that are 0. They begin at 0 again. */
  take(): Series[] {
    const declaration = this.#declaration
    return [...this.#cells.values()]
      .map(({ labels, cell }) => ({ declaration, labels, values: cell.take() }))
      .filter(({ values }) => values.some((value) => value !== 0))
  }
}
