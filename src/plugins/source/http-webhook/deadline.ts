import { LONGEST_TIMER } from '../../../lib/units.js'

/** An operation with a deadline. */
export interface Due {
  readonly endsAt: number
  /** Undefined once the operation has ended, or is late. */
  onLate: (() => void) | undefined
}

/** How many ended operations may precede the first that has not ended. */
const MAX_ENDED = 1024

/**
 * Gives each operation the same number of milliseconds. One timer serves them all: their deadlines pass in the order in which
 * they began. They wait in an array, and not in a Set: the tables that a Set outgrows keep their former content alive until
 * the next major garbage collection, which was a whole event each.
 */
export class Deadline {
  readonly #milliseconds: number
  readonly #waiting: Due[] = []
  #first = 0
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  /** Calls `onLate` at the deadline, unless the operation ends before. */
  begin(onLate: () => void): Due {
    const due: Due = { endsAt: performance.now() + this.#milliseconds, onLate }
    this.#waiting.push(due)
    if (this.#timer === undefined) this.#timer = this.#timerOf(this.#milliseconds)
    return due
  }

  end(due: Due): void {
    due.onLate = undefined
    const waiting = this.#waiting
    while (this.#first < waiting.length && waiting[this.#first]?.onLate === undefined) this.#first++
    if (this.#first < waiting.length && this.#first < MAX_ENDED) return
    waiting.splice(0, this.#first)
    this.#first = 0
  }

  #timerOf(milliseconds: number): NodeJS.Timeout {
    return setTimeout(this.#expire, Math.min(milliseconds, LONGEST_TIMER)).unref()
  }

  readonly #expire = (): void => {
    this.#timer = undefined
    for (let next = this.#waiting[this.#first]; next !== undefined; next = this.#waiting[this.#first]) {
      const left = next.endsAt - performance.now()
      if (left > 0) {
        this.#timer = this.#timerOf(left)
        return
      }
      next.onLate?.()
      this.end(next)
    }
  }
}
