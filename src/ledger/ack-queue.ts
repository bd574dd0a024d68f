import TinyQueue from 'tinyqueue'
import { LEVELS, levelOf, type StoredAck } from './rows.js'

/** With more new ones than this in the queue, the newest get turns too. A shorter queue is soon empty. */
const LONG_QUEUE = 500

/** One turn in so many goes to those that have failed, if others wait. */
const TURNS = 5

/**
 * The acknowledgements that wait for a post-commit stage. Those that keep failing must not hold up the rest: those without an
 * attempt get most turns, alternately the oldest and the newest of them, so that one that has just come is attempted soon
 * however many came before it and fail. Those that failed share the other turns by level, so that one that failed once is
 * not behind those that always fail.
 */
export class AckQueue {
  /** Those without an attempt, in the order in which they came, from `#oldest` on. */
  readonly #newAcks: StoredAck[] = []
  #oldest = 0
  /** By level; level 0 is empty. */
  readonly #failed = Array.from({ length: LEVELS }, () => new TinyQueue<StoredAck>([], byDueTime))
  #turn = 0
  #level = 0

  push(ack: StoredAck): void {
    if (ack.attempts === 0) this.#newAcks.push(ack)
    else this.#failed[levelOf(ack.attempts)]?.push(ack)
  }

  /** `newOnly`: none of those that have failed. */
  take(now: number, newOnly: boolean): StoredAck | undefined {
    this.#turn = (this.#turn + 1) % TURNS
    const failedFirst = this.#turn === 0 && !newOnly
    const taken = (failedFirst ? this.#takeFailed(now) : undefined) ?? this.#takeNew()
    return taken ?? (newOnly || failedFirst ? undefined : this.#takeFailed(now))
  }

  dueAt(newOnly: boolean): number | undefined {
    const next = this.#newAcks[this.#oldest]
    if (next !== undefined) return next.dueAt
    if (newOnly) return undefined
    let dueAt: number | undefined
    for (const level of this.#failed) {
      const first = level.peek()
      if (first !== undefined && (dueAt === undefined || first.dueAt < dueAt)) dueAt = first.dueAt
    }
    return dueAt
  }

  all(): StoredAck[] {
    return [...this.#newAcks.slice(this.#oldest), ...this.#failed.flatMap(({ data }) => data)]
  }

  /** They are due from the start. */
  #takeNew(): StoredAck | undefined {
    const waiting = this.#newAcks.length - this.#oldest
    if (waiting === 0) return undefined
    if (waiting > LONG_QUEUE && this.#turn % 2 === 1) return this.#newAcks.pop()
    const oldest = this.#newAcks[this.#oldest++]
    // Many at a time: cutting off the front costs as much as moving the rest.
    if (waiting === 1 || (this.#oldest > LONG_QUEUE && this.#oldest * 2 > this.#newAcks.length)) {
      this.#newAcks.splice(0, this.#oldest)
      this.#oldest = 0
    }
    return oldest
  }

  #takeFailed(now: number): StoredAck | undefined {
    for (let looks = 0; looks < LEVELS; looks++) {
      this.#level = (this.#level + 1) % LEVELS
      const queue = this.#failed[this.#level]
      const first = queue?.peek()
      if (first !== undefined && first.dueAt <= now) return queue?.pop()
    }
    return undefined
  }
}

const byDueTime = (a: StoredAck, b: StoredAck): number => a.dueAt - b.dueAt
