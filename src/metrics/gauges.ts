import type { Registry } from 'prom-client'
import type { MetricDeclaration } from '../contract/index.js'
import { type Labels, registerSamples, type Sample } from './families.js'

/** A value of a gauge. */
export interface GaugeValue {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

interface Entry {
  readonly labels: Labels
  /** Undefined leaves it out. */
  read(): number | undefined
}

/** The values of one gauge that one scope has to show. */
export class GaugeValues {
  readonly name: string
  /** By the text of their labels. */
  readonly #entries = new Map<string, Entry>()

  constructor(name: string) {
    this.name = name
  }

  /** The last reader of a label set counts. The labels stay the same object: their text is kept by it. */
  set(labels: Labels, read: () => number | undefined): void {
    const key = JSON.stringify(labels)
    this.#entries.set(key, { labels: this.#entries.get(key)?.labels ?? labels, read })
  }

  remove(labels: Labels): void {
    this.#entries.delete(JSON.stringify(labels))
  }

  *[Symbol.iterator](): Iterator<readonly [key: string, sample: Sample]> {
    for (const [key, { labels, read }] of this.#entries) {
      const value = read()
      if (value !== undefined) yield [key, { sharedLabels: labels, value }]
    }
  }

  values(): GaugeValue[] {
    return [...this].map(([, { sharedLabels, value }]) => ({ name: this.name, labels: sharedLabels, value }))
  }
}

const COMBINE = {
  sum: (one: number, other: number) => one + other,
  max: Math.max,
  min: Math.min,
}

/** A gauge of the process: the values of all scopes that are shown, together with those of other processes. */
export class GaugeFamily {
  readonly #declaration: MetricDeclaration
  readonly #others: () => readonly GaugeValue[]
  /** Oldest first. */
  readonly #shown = new Set<GaugeValues>()

  constructor(registry: Registry, declaration: MetricDeclaration, others: () => readonly GaugeValue[]) {
    this.#declaration = declaration
    this.#others = others
    registerSamples(registry, declaration, () => this.samples())
  }

  samples(): Sample[] {
    const { name, combine = 'sum' } = this.#declaration
    const samples = new Map<string, Sample>()
    // The newest scope that has a label set counts.
    for (const values of this.#shown) for (const [key, sample] of values) samples.set(key, sample)
    for (const { name: otherName, labels, value } of this.#others()) {
      if (otherName !== name) continue
      const key = JSON.stringify(labels)
      const here = samples.get(key)
      samples.set(
        key,
        here === undefined
          ? { sharedLabels: labels, value }
          : { ...here, value: COMBINE[combine](here.value, value) },
      )
    }
    return [...samples.values()]
  }

  show(values: GaugeValues): void {
    this.#shown.add(values)
  }

  hide(values: GaugeValues): void {
    this.#shown.delete(values)
  }
}
