/**
 * One metric, declared once: a process counts by it, and the page of metrics is printed from it. The name gets the prefix
 * `headgate_`, and its ending the unit (`_seconds`, `_bytes`, `_total` for counters), as Prometheus has it.
 */
export interface MetricDeclaration<Label extends string = string> {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Each label with the values that it has in every process; an empty list if the config or a peer decides. */
  readonly labels: { readonly [label in Label]: readonly string[] }
  /** The label that names the owner, set by the engine: of a plugin's stage `pipeline`, of something shared by sinks `sink`. */
  readonly owner?: 'pipeline' | 'sink'
  /** Combines the values of a gauge in several processes; their sum if absent. */
  readonly combine?: 'sum' | 'max' | 'min'
  /** Upper bounds of a histogram's buckets; each is a series for every label set. */
  readonly buckets?: readonly number[]
}

/** A declaration that keeps the names of its labels as types. */
export const metric = <const Label extends string = never>(
  declaration: Omit<MetricDeclaration<Label>, 'labels'> & {
    readonly labels?: { readonly [label in Label]: readonly string[] }
  },
): MetricDeclaration<Label> => ({
  ...declaration,
  labels: declaration.labels ?? ({} as MetricDeclaration<Label>['labels']),
})

/** Metrics of a stage, or of something that stages share. Each also has the label of its owner. Asking twice gives the same metric. */
export interface Metrics {
  /** One counter for each value of the only label of `declaration`, all of them shown from the start with 0. */
  counters<Label extends string, Value extends string>(
    declaration: MetricDeclaration<Label>,
    values: readonly Value[],
  ): { readonly [value in Value]: { inc(count?: number): void } }
  gauge<Label extends string>(declaration: MetricDeclaration<Label>): Gauge<Label>
}

export interface Gauge<Label extends string = string> {
  set(value: number, labels?: { readonly [label in Label]: string }): void
  /** Forgets all label sets, for things that come and go. */
  clear(): void
}
