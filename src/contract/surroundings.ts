import type { HttpListener } from './http.js'

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Metrics of a stage: names get the prefix `headgate_`, labels the pipeline. Asking twice gives the same metric. */
export interface Metrics {
  /** One counter for each value of `label`, all of them shown from the start with 0. */
  counters<Value extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly Value[],
  ): { readonly [value in Value]: { inc(count?: number): void } }
  /** A gauge; `labels` are set with each value. `together`: what is shown where several processes have it; their sum. */
  gauge(name: string, help: string, labels?: readonly string[], together?: Together): Gauge
}

/** What the values of several processes are as one. */
export type Together = 'sum' | 'greatest'

export interface Gauge {
  set(value: number, labels?: { readonly [label: string]: string }): void
  /** Forgets all label sets, for things that come and go. */
  clear(): void
}

/** Files that the config names, relative to the config file. */
export interface Files {
  /** The absolute path. */
  resolve(path: string): string
  /** Throws HG_CONFIG_UNREADABLE with the path and the reason. */
  read(path: string): string
  /** The names in a folder, sorted. Throws HG_CONFIG_UNREADABLE. */
  list(folder: string): readonly string[]
}

export interface Context {
  readonly pipeline: string
  readonly log: Log
  readonly metrics: Metrics
  readonly files: Files
  /** Aborted when the process no longer waits for anybody: give up what is still under way. */
  readonly signal: AbortSignal
}

export interface SourceContext extends Context {
  readonly http: HttpListener
}
