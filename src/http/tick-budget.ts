/** A piece of work that may be deferred to a later tick. */
export interface Work {
  run(): void
}

/**
 * Spreads work over ticks of the event loop: at most `budget` pieces each, always in the order in which they came. The work
 * that follows from an event needs ticks of its own: a connection to the API that is acknowledged to rests for one or two
 * after each response. If a tick took as long as senders have requests for it, those ticks would be so rare that
 * acknowledgements fall behind for as long as the load lasts.
 */
export class TickBudget {
  readonly #budget: number
  readonly #deferred: Work[] = []
  /** Counted from here on only: to be told of the end of every tick would cost a callback each. */
  readonly #many: number
  #done = 0

  constructor(budget: number) {
    this.#budget = budget
    this.#many = Math.ceil(budget / 2)
  }

  /** Runs it now, or in a later tick if the budget of this one is used up. */
  take(work: Work): void {
    if (this.#done < this.#budget && this.#deferred.length === 0) this.#run(work)
    else this.#deferred.push(work)
  }

  #run(work: Work): void {
    if (++this.#done === this.#many) setImmediate(this.#nextTick)
    work.run()
  }

  readonly #nextTick = (): void => {
    this.#done = 0
    for (const work of this.#deferred.splice(0, this.#budget)) this.#run(work)
  }
}
