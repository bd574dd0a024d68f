/** Milliseconds. After so long without a heartbeat, Kafka chooses another leader. */
export const SESSION = 10_000
/** Kafka waits so long for every member to join again. Longer than a session: a member that has died ends the wait then. */
export const REBALANCE = 30_000

/**
 * Whether this process certainly leads its group: Kafka has said so, and cannot have chosen another leader since. By a monotonic
 * clock, so that a process which was frozen knows it at once. The coordinator counts a session from a request's arrival, and
 * this from its sending.
 */
export class Leadership {
  readonly #onExpired: () => void
  /** Since when it leads, in ISO 8601; undefined if it does not. */
  #since: string | undefined
  #settledAt = 0
  #memberUntil = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(onExpired: () => void) {
    this.#onExpired = onExpired
  }

  isCertain(): boolean {
    return this.isLeader && performance.now() < this.#memberUntil
  }

  get isLeader(): boolean {
    return this.#since !== undefined
  }

  get since(): string | undefined {
    return this.#since
  }

  /** Once it leads already, nothing changes. */
  begin(since = new Date().toISOString()): void {
    this.#since ??= since
  }

  end(): void {
    this.#since = undefined
    clearTimeout(this.#timer)
  }

  /** Kafka had this member at `sentAt`. Unless the group was settled then, it may lead on without it once its wait is over. */
  confirm(sentAt: number, isSettled: boolean): void {
    if (isSettled) this.#settledAt = sentAt
    this.#memberUntil = Math.min(sentAt + SESSION, this.#settledAt + REBALANCE)
    clearTimeout(this.#timer)
    if (!this.isCertain()) return
    this.#timer = setTimeout(() => this.#expire(), this.#memberUntil - performance.now()).unref()
  }

  #expire(): void {
    if (!this.isCertain()) this.#onExpired()
  }
}
