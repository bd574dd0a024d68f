const SECOND = 1000
const SLOWEST = 1
/** Growth per second after a 429: from half the rate to the full rate takes 7 s, so that a recovered sender is soon used again. */
const GROWTH = 1.1
/**
 * After this many failures in a row the sender is down, and gets only trials until it responds: with a million pending
 * acknowledgements, attempts would otherwise go out as fast as the sender can refuse them. Fewer failures in a row can be bad
 * luck. If only some thousands of events keep failing and others are rare, those others do not wait long.
 */
const DOWN_AFTER = 100
const TRIAL_EVERY = 50
/** A sender that responded within this time is not down, however many acknowledgements keep failing. */
const RECENTLY = 3 * SECOND

/**
 * Limits the attempts per second: a token bucket that holds the tokens of one second. A 429 of the sender halves the rate, which
 * then grows again. Without a maximum, the rate is not limited before the first 429, nor after it has grown to four times the
 * rate of the attempts at that time. Times are milliseconds of a monotonic clock that the caller reads.
 */
export class Rate {
  readonly #max: number
  #limit: number
  /** The limit grows to this, and is then `max` again. */
  #ceiling: number
  #tokens: number
  #refilledAt = 0
  #pausedUntil = 0
  #failures = 0
  #takenAt = 0
  #throttledAt = Number.NEGATIVE_INFINITY
  #respondedAt = Number.NEGATIVE_INFINITY
  #windowStart = 0
  #inWindow = 0
  #inLastWindow = 0

  constructor(max = Number.POSITIVE_INFINITY) {
    this.#max = max
    this.#limit = max
    this.#ceiling = max
    this.#tokens = max
  }

  /** Milliseconds until the next attempt; 0 if it may be made now. */
  wait(now: number): number {
    if (now < this.#pausedUntil) return this.#pausedUntil - now
    if (this.isDown(now) && now < this.#takenAt + TRIAL_EVERY) return this.#takenAt + TRIAL_EVERY - now
    if (this.#limit === Number.POSITIVE_INFINITY) return 0
    this.#refill(now)
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.#limit) * SECOND)
  }

  /** Counts an attempt. */
  take(now: number): void {
    this.#takenAt = now
    this.#countInWindow(now)
    this.#tokens -= 1
  }

  /** The sender has responded 429: halves the rate, and allows no attempt for `pause`. */
  throttle(now: number, pause: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pause)
    // Each of the attempts in flight gets a 429; together they count once.
    if (now - this.#throttledAt < SECOND) return
    this.#throttledAt = now
    const attempted = this.#limit === Number.POSITIVE_INFINITY ? this.#attemptedRecently(now) : this.#limit
    this.#ceiling = Math.min(this.#max, Math.max(SLOWEST, attempted) * 4)
    this.#limit = Math.max(SLOWEST, attempted / 2)
    this.#tokens = 0
    this.#refilledAt = this.#pausedUntil
  }

  /** An attempt failed, and not because of too many attempts. */
  failed(): void {
    this.#failures++
  }

  /** The sender has accepted an acknowledgement, or refused it for good. */
  responded(now: number): void {
    this.#failures = 0
    this.#respondedAt = now
  }

  /** The sender has accepted an acknowledgement, or refused it for good, since it throttled last. */
  respondedSinceThrottle(): boolean {
    return this.#respondedAt > this.#throttledAt
  }

  /** Attempts a second that it allows now; undefined if there is no limit. */
  limit(now: number): number | undefined {
    if (this.#limit === Number.POSITIVE_INFINITY) return undefined
    this.#refill(Math.max(now, this.#refilledAt))
    return this.#limit === Number.POSITIVE_INFINITY ? undefined : this.#limit
  }

  /** Milliseconds of a pause that the sender has asked for; 0 if there is none. */
  pausedFor(now: number): number {
    return Math.max(0, this.#pausedUntil - now)
  }

  /** Only failures for a while: only trials are made. */
  isDown(now: number): boolean {
    return this.#failures >= DOWN_AFTER && now - this.#respondedAt >= RECENTLY
  }

  #refill(now: number): void {
    const elapsed = (now - this.#refilledAt) / SECOND
    this.#refilledAt = now
    if (this.#limit < this.#ceiling) {
      this.#limit *= GROWTH ** elapsed
      if (this.#limit >= this.#ceiling) this.#limit = this.#max
    }
    this.#tokens = Math.min(Math.max(this.#limit, 1), this.#tokens + elapsed * this.#limit)
  }

  #countInWindow(now: number): void {
    if (now - this.#windowStart >= SECOND) {
      this.#inLastWindow = now - this.#windowStart < 2 * SECOND ? this.#inWindow : 0
      this.#inWindow = 0
      this.#windowStart = now
    }
    this.#inWindow++
  }

  /** Attempts in the second before `now`, which lies across two windows. */
  #attemptedRecently(now: number): number {
    const share = Math.min(1, (now - this.#windowStart) / SECOND)
    return this.#inWindow + this.#inLastWindow * (1 - share)
  }
}

const MINUTE = 60_000

/** Logs the number of occurrences at most once a minute: a sender that can cause one log line can cause many. */
export function onceAMinute(log: (count: number) => void): () => void {
  let count = 0
  let quietUntil = Number.NEGATIVE_INFINITY
  return () => {
    count++
    // Monotonic: setting a wall clock back would suppress the log for as long.
    const now = performance.now()
    if (now < quietUntil) return
    log(count)
    count = 0
    quietUntil = now + MINUTE
  }
}
