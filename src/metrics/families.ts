import type { Metric, Registry } from 'prom-client'

type Labels = Readonly<{ [label: string]: string }>

interface Sample {
  readonly value: number
  readonly labels: Labels
  readonly metricName?: string
}

/** The samples of one label set. */
interface Cell {
  samples(): Sample[]
  reset(): void
  /** Of a counter its count, of a histogram the count of each bucket and the sum. */
  values(): readonly number[]
  /** Adds what a cell of the same kind had as its values. */
  add(values: readonly number[]): void
}

/** A counter whose labels are fixed; `count` defaults to 1. */
export interface CounterCell extends Cell {
  inc(count?: number): void
}

/** A histogram whose labels are fixed. */
export interface HistogramCell extends Cell {
  observe(seconds: number): void
}

/**
 * Counters and histograms for prom-client's registry whose cells are plain fields. prom-client's own look their labels up
 * at every call; a dozen calls an event were 6 of its 100 us.
 */
export interface Family<Kind extends Cell> {
  /** The cell of a label set; whoever asks for it keeps it, and gives it back with `release`. */
  hold(labels: Labels): Kind
  /** What nobody holds any more is no longer shown. */
  release(labels: Labels): void
  /** The cell of a label set that somebody holds. */
  find(labels: Labels): Kind | undefined
  /** What has been counted since the last call. It begins at 0 again. */
  take(): { readonly labels: Labels; readonly values: readonly number[] }[]
}

export const counterFamily = (registry: Registry, name: string, help: string): Family<CounterCell> =>
  family(registry, { name, help, type: 'counter' }, (labels) => {
    let count = 0
    return {
      inc(added = 1) {
        count += added
      },
      samples: () => [{ value: count, labels }],
      reset() {
        count = 0
      },
      values: () => [count],
      add([added = 0]) {
        count += added
      },
    }
  })

export const histogramFamily = (
  registry: Registry,
  name: string,
  help: string,
  buckets: readonly number[],
): Family<HistogramCell> =>
  family(registry, { name, help, type: 'histogram' }, (labels) => {
    const bounds = Float64Array.from(buckets)
    const counts = new Float64Array(bounds.length + 1)
    let sum = 0
    return {
      observe(seconds) {
        let bucket = 0
        while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++
        counts[bucket] = (counts[bucket] as number) + 1
        sum += seconds
      },
      samples() {
        let total = 0
        const upTo = [...counts].map((count, bucket) => {
          total += count
          const le = String(bounds[bucket] ?? '+Inf')
          return { value: total, labels: { le, ...labels }, metricName: `${name}_bucket` }
        })
        return [
          ...upTo,
          { value: sum, labels, metricName: `${name}_sum` },
          { value: total, labels, metricName: `${name}_count` },
        ]
      },
      reset() {
        counts.fill(0)
        sum = 0
      },
      values: () => [...counts, sum],
      add(values) {
        for (const bucket of counts.keys())
          counts[bucket] = (counts[bucket] as number) + (values[bucket] ?? 0)
        sum += values[counts.length] ?? 0
      },
    }
  })

interface About {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'histogram'
}

function family<Kind extends Cell>(
  registry: Registry,
  about: About,
  newCell: (labels: Labels) => Kind,
): Family<Kind> {
  const cells = new Map<string, { readonly labels: Labels; readonly cell: Kind; holders: number }>()
  // What the registry asks of a metric; prom-client has types for its own classes only.
  const metric = {
    ...about,
    aggregator: 'sum',
    get: async () => ({
      ...about,
      aggregator: 'sum',
      values: [...cells.values()].flatMap(({ cell }) => cell.samples()),
    }),
    reset: () => {
      for (const { cell } of cells.values()) cell.reset()
    },
  }
  registry.registerMetric(metric as unknown as Metric)
  return {
    hold(labels) {
      const key = JSON.stringify(labels)
      const held = cells.get(key) ?? { labels, cell: newCell(labels), holders: 0 }
      held.holders++
      cells.set(key, held)
      return held.cell
    },
    release(labels) {
      const key = JSON.stringify(labels)
      const held = cells.get(key)
      if (held !== undefined && --held.holders === 0) cells.delete(key)
    },
    find: (labels) => cells.get(JSON.stringify(labels))?.cell,
    take: () =>
      [...cells.values()].flatMap(({ labels, cell }) => {
        const values = cell.values()
        if (values.every((value) => value === 0)) return []
        cell.reset()
        return [{ labels, values }]
      }),
  }
}
