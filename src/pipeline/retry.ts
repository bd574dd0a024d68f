/** When a failed acknowledgement is tried again. Milliseconds. */
export interface RetrySettings {
  /** Upper bound of the first wait. */
  readonly initial: number
  /** Upper bound of every wait that the sender did not ask for. */
  readonly max: number
  /** Counted from the commit of the event; after that it is given up. */
  readonly deadline: number
}

/**
 * The wait before the next attempt: full jitter below an exponential bound, so that many that failed together do not
 * come back together; never less than what the sender asked for.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryDelay(
  settings: RetrySettings,
  attempts: number,
  asked = 0,
  random = Math.random,
): number {
  const bound = Math.min(settings.max, settings.initial * 2 ** Math.min(attempts, 30))
  return asked + Math.ceil(random() * bound)
}
