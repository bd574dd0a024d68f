import { formatLocation, type Problem } from '../../config/problem.js'
import { HeadgateError } from '../../contract/errors.js'
import type { Log } from '../../contract/index.js'
import type { MetricsRegistry, ScopedGauge } from '../../metrics/registry.js'
import { METRICS, RELOAD_RESULTS } from '../../metrics/table.js'

/** The outcome of a reload. `changed` has the stages by pipeline, as `orders: transform.1.route`. */
export type Reloaded =
  | {
      readonly result: 'success' | 'unchanged'
      readonly revision: string
      readonly changed: readonly string[]
    }
  | Refused

/** The config on disk is not the one that runs. `revision` is that of the one that runs. */
export interface Refused {
  readonly result: 'failure'
  readonly revision: string
  /** Mistakes in the file; empty if the file is right and `error` says why it does not run. */
  readonly problems: readonly Problem[]
  readonly error: HeadgateError | undefined
  /** When Headgate tries again by itself, in a sentence; undefined when it is shutting down. */
  readonly retry: string | undefined
}

export const reloadFailed = (message: string): HeadgateError => new HeadgateError('HG_RELOAD_FAILED', message)

/** Milliseconds between retries of a reload that failed for a reason outside of the file. */
export const RETRY_AFTER = 30_000

/** Without an error, the mistake is in the file or in one that it names. */
export const retryOf = (error: HeadgateError | undefined): string =>
  error === undefined
    ? 'Headgate tries again when the file changes.'
    : `Headgate tries again in ${RETRY_AFTER / 1000} s, or when the file changes.`

/** One sentence for each reason, with its location. */
export const reasonsOf = ({ problems, error }: Refused): string[] => [
  ...problems.map(({ location, code, message }) => `${formatLocation(location)}: ${code}: ${message}`),
  ...(error === undefined ? [] : [`${error.code}: ${error.message}`]),
]

/** One line for each reason. The last one says when Headgate tries again. */
export function logRefused(log: Log, { problems, error, retry }: Refused): void {
  const lines = [...problems.map(problemLine), ...(error ? [errorLine(error)] : [])]
  for (const [index, { fields, reason }] of lines.entries()) {
    const isLast = index === lines.length - 1
    const text = isLast && retry !== undefined ? `${reason} ${retry}` : reason
    log.error(fields, `the new config was refused, the old one keeps running: ${text}`)
  }
}

function problemLine({ code, location, pointer, message, expected, suggestion }: Problem) {
  const fields = {
    code,
    place: formatLocation(location),
    pointer,
    ...(expected !== undefined && { expected }),
  }
  const sentences = [`${fields.place}: ${message}`, ...(suggestion === undefined ? [] : [suggestion])]
  return { fields, reason: sentences.join(' ') }
}

function errorLine({ code, message, cause }: HeadgateError) {
  return { fields: { code, ...(code === 'HG_PLUGIN_FAILED' && { err: cause }) }, reason: message }
}

/** The outcomes of reloads as metrics. */
export class ReloadMetrics {
  readonly #counters: ReadonlyMap<Reloaded['result'], { inc(): void }>
  readonly #revision: ScopedGauge<'revision'>
  #current: string | undefined
  #succeededAt = 0

  /** `isSuccessful`: whether the config on disk is the one that runs. */
  constructor(metrics: MetricsRegistry, isSuccessful: () => boolean) {
    const counter = (result: string) => metrics.counter(METRICS.configReloadsTotal, { result })
    this.#counters = new Map(RELOAD_RESULTS.map((result) => [result, counter(result)]))
    this.#revision = metrics.gauge(METRICS.configRevisionInfo)
    metrics.sampled(METRICS.configLastReloadSuccessful, {}, () => (isSuccessful() ? 1 : 0))
    metrics.sampled(METRICS.configLastReloadSuccessTimestampSeconds, {}, () => this.#succeededAt / 1000)
  }

  count(result: Reloaded['result']): void {
    this.#counters.get(result)?.inc()
  }

  /** This config was accepted, and runs. */
  succeeded(revision: string): void {
    if (this.#current !== undefined) this.#revision.remove({ revision: this.#current })
    this.#current = revision
    this.#revision.set({ revision }, 1)
    this.#succeededAt = Date.now()
  }
}
