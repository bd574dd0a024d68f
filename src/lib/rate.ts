/** How many attempts a second are made. Times are milliseconds of a monotonic clock that the caller reads. */
export interface Rate {
  /** How long the next attempt has to wait; 0 when it may go now. */
  wait(now: number): number
  /** One attempt goes. */
  take(now: number): void
  /** The sender asked for less: halves the rate, and lets nothing go for `pause`. */
  throttle(now: number, pause: number): void
  /** The sender has taken an acknowledgement, or refused it for good, since it throttled last. */
  answeredSinceThrottle(): boolean
  /** An attempt failed, and not because there are too many. */
  failed(): void
  /** The sender has taken an acknowledgement, or refused it for good. */
  answered(now: number): void
  /** Nothing but failures for long: only trials are made. */
  isDown(now: number): boolean
}

const SECOND = 1000
const SLOWEST = 1
/** Growth a second after a throttling: from halved to back takes 7 s, so a sender that has recovered is used again soon. */
const GROWTH = 1.1
/**
 * After so many failures in a row the sender is down, and is asked only so often until it answers. Who is down with a million
 * acknowledgements owed would be asked as fast as it can refuse. Fewer in a row can be bad luck; and where it is only down for
 * some thousands of events that keep failing, and others are rare, those must not wait behind them for long.
 */
const DOWN_AFTER = 100
const TRIAL_EVERY = 50
/** A sender that answered within this time is not down, however many events there are whose acknowledgements fail. */
const ANSWERED_LATELY = 3 * SECOND

/**
 * A token bucket of one second's worth whose rate halves when the sender says 429 and then grows back. Without `max`
 * it limits nothing until the first 429, and again once it has grown to four times what was attempted then.
 */
export function createRate(max = Number.POSITIVE_INFINITY): Rate {
  let limit = max
  let ceiling = max
  let tokens = max
  let refilledAt = 0
  let pausedUntil = 0
  let failures = 0
  let takenAt = 0
  let throttledAt = Number.NEGATIVE_INFINITY
  let answeredAt = Number.NEGATIVE_INFINITY
  let windowStart = 0
  let inWindow = 0
  let inLastWindow = 0

  const isDown = (now: number): boolean => failures >= DOWN_AFTER && now - answeredAt >= ANSWERED_LATELY
  const refill = (now: number): void => {
    const elapsed = (now - refilledAt) / SECOND
    refilledAt = now
    if (limit < ceiling) {
      limit *= GROWTH ** elapsed
      if (limit >= ceiling) limit = max
    }
    tokens = Math.min(Math.max(limit, 1), tokens + elapsed * limit)
  }
  const countInWindow = (now: number): void => {
    if (now - windowStart >= SECOND) {
      inLastWindow = now - windowStart < 2 * SECOND ? inWindow : 0
      inWindow = 0
      windowStart = now
    }
    inWindow++
  }

  /** Over the second before `now`, which lies across two windows. */
  const attemptedLately = (now: number): number => {
    const into = Math.min(1, (now - windowStart) / SECOND)
    return inWindow + inLastWindow * (1 - into)
  }

  return {
    wait(now) {
      if (now < pausedUntil) return pausedUntil - now
      if (isDown(now) && now < takenAt + TRIAL_EVERY) return takenAt + TRIAL_EVERY - now
      if (limit === Number.POSITIVE_INFINITY) return 0
      refill(now)
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / limit) * SECOND)
    },
    take(now) {
      takenAt = now
      countInWindow(now)
      tokens -= 1
    },
    throttle(now, pause) {
      pausedUntil = Math.max(pausedUntil, now + pause)
      // Attempts that were under way together come back with one 429 each; they say the same thing once.
      if (now - throttledAt < SECOND) return
      throttledAt = now
      const attempted = limit === Number.POSITIVE_INFINITY ? attemptedLately(now) : limit
      ceiling = Math.min(max, Math.max(SLOWEST, attempted) * 4)
      limit = Math.max(SLOWEST, attempted / 2)
      tokens = 0
      refilledAt = pausedUntil
    },
    failed: () => void failures++,
    answered(now) {
      failures = 0
      answeredAt = now
    },
    answeredSinceThrottle: () => answeredAt > throttledAt,
    isDown,
  }
}
