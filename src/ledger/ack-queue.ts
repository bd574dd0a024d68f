import TinyQueue from 'tinyqueue'
import type { Owed } from './rows.js'

/** Acknowledgements that were never tried are level 0; the more often one failed, the higher its level. */
export const LEVELS = 6

/** 1 attempt is level 1, 2 and 3 are level 2, 4 to 7 level 3, and so on. */
export const levelOf = (attempts: number): number =>
  attempts === 0 ? 0 : Math.min(LEVELS - 1, 1 + Math.floor(Math.log2(attempts)))

/** Never-tried ones that wait are many: the newest have turns, too. Fewer are soon over. */
const MANY = 500

/** One turn in so many is of those that have failed, where others wait. */
const TURNS = 5

/**
 * What waits for a post-commit stage. Those that keep failing must not hold up the rest: never-tried ones have most of the
 * turns, the oldest and the newest of them in turn, so that one that has just come is tried soon however many came before
 * it and fail. Those that failed share the other turns by level, so that one that failed once is not behind those that
 * always do.
 */
export class AckQueue {
  /** In the order in which they came; from `#oldest` on. */
  readonly #untried: Owed[] = []
  #oldest = 0
  /** By level, level 0 left empty. */
  readonly #failed = Array.from({ length: LEVELS }, () => new TinyQueue<Owed>([], byDue))
  #turn = 0
  #level = 0

  push(owed: Owed): void {
    if (owed.attempts === 0) this.#untried.push(owed)
    else this.#failed[levelOf(owed.attempts)]?.push(owed)
  }

  /** `untriedOnly`: none of those that have failed. */
  take(now: number, untriedOnly: boolean): Owed | undefined {
    this.#turn = (this.#turn + 1) % TURNS
    const failedFirst = this.#turn === 0 && !untriedOnly
    const taken = (failedFirst ? this.#takeFailed(now) : undefined) ?? this.#takeUntried()
    return taken ?? (untriedOnly || failedFirst ? undefined : this.#takeFailed(now))
  }

  dueAt(untriedOnly: boolean): number | undefined {
    const untried = this.#untried[this.#oldest]
    if (untried !== undefined) return untried.dueAt
    if (untriedOnly) return undefined
    let dueAt: number | undefined
    for (const level of this.#failed) {
      const first = level.peek()
      if (first !== undefined && (dueAt === undefined || first.dueAt < dueAt)) dueAt = first.dueAt
    }
    return dueAt
  }

  all(): Owed[] {
    return [...this.#untried.slice(this.#oldest), ...this.#failed.flatMap(({ data }) => data)]
  }

  /** They are due from the start. */
  #takeUntried(): Owed | undefined {
    const waiting = this.#untried.length - this.#oldest
    if (waiting === 0) return undefined
    if (waiting > MANY && this.#turn % 2 === 1) return this.#untried.pop()
    const oldest = this.#untried[this.#oldest++]
    // Not one by one: to cut off the front costs as much as what is left.
    if (waiting === 1 || (this.#oldest > MANY && this.#oldest * 2 > this.#untried.length)) {
      this.#untried.splice(0, this.#oldest)
      this.#oldest = 0
    }
    return oldest
  }

  #takeFailed(now: number): Owed | undefined {
    for (let tried = 0; tried < LEVELS; tried++) {
      this.#level = (this.#level + 1) % LEVELS
      const queue = this.#failed[this.#level]
      const first = queue?.peek()
      if (first !== undefined && first.dueAt <= now) return queue?.pop()
    }
    return undefined
  }
}

const byDue = (a: Owed, b: Owed): number => a.dueAt - b.dueAt
