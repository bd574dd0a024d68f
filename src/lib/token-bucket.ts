const SECOND = 1000

export interface BucketLimit {
  /** Tokens that are added a second. */
  readonly rate: number
  /** The tokens of a full bucket. */
  readonly burst: number
}

/** A token bucket, full at first. Times are milliseconds of a monotonic clock that the caller reads. */
export class TokenBucket {
  readonly #burst: number
  /** Milliseconds in which a token is added. */
  readonly #interval: number
  /** The time at which it is full tells how many tokens it has at any other. */
  #fullAt = Number.NEGATIVE_INFINITY

  constructor({ rate, burst }: BucketLimit) {
    this.#burst = burst
    this.#interval = SECOND / rate
  }

  /** Milliseconds until it has a token; 0 if it has one. */
  wait(now: number): number {
    return Math.max(0, this.#fullAt - now - (this.#burst - 1) * this.#interval)
  }

  /** Takes tokens, even if it has too few: the rest is taken of those that are added next. */
  take(now: number, count: number): void {
    this.#fullAt = Math.max(this.#fullAt, now) + count * this.#interval
  }
}

/** A bucket for each of the keys that were used last. A key that is forgotten has a full bucket again. */
export class KeyedBuckets {
  readonly #limit: BucketLimit
  readonly #most: number
  /** The one that was not used for longest is the first. */
  readonly #byKey = new Map<string, TokenBucket>()

  /** `most`: how many keys are remembered. */
  constructor(limit: BucketLimit, most: number) {
    this.#limit = limit
    this.#most = most
  }

  of(key: string): TokenBucket {
    const bucket = this.#byKey.get(key) ?? new TokenBucket(this.#limit)
    this.#byKey.delete(key)
    this.#byKey.set(key, bucket)
    if (this.#byKey.size > this.#most) this.#byKey.delete(this.#byKey.keys().next().value as string)
    return bucket
  }
}
