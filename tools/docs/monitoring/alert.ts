export interface Alert {
  /** Also the name of its page in docs/runbooks. */
  readonly alert: string
  readonly expr: string
  /** How long it has to last, as PromQL writes it. */
  readonly for: string
  /**
   * critical: events are refused, lost or not delivered, or soon will be. warning: somebody has to look in working hours.
   */
  readonly severity: 'critical' | 'warning'
  readonly summary: string
  readonly description: string
}

/** In seconds. */
export const MINUTE = 60
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
