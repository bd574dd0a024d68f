const SECOND = 1000

export interface Allowance {
  /** May be spent at once. */
  readonly burst: number
  /** Comes back. */
  readonly perSecond: number
}

/** A token bucket. Times are milliseconds of a monotonic clock that the caller reads. */
export class Budget {
  readonly #allowance: Allowance
  #left: number
  #refilledAt: number

  constructor(allowance: Allowance, now: number) {
    this.#allowance = allowance
    this.#left = allowance.burst
    this.#refilledAt = now
  }

  /** Returns false if more is spent than is left. */
  spend(amount: number, now: number): boolean {
    const { burst, perSecond } = this.#allowance
    const refilled = this.#left + ((now - this.#refilledAt) * perSecond) / SECOND
    this.#left = Math.min(burst, refilled) - amount
    this.#refilledAt = now
    return this.#left >= 0
  }
}
