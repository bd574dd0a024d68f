/** Something that is done when its turn comes. */
export interface Work {
  proceed(): void
}

/** Spreads work over turns of the event loop. */
export interface Turns {
  /** Does it now, or in a later turn where this one has done its share; always in the order in which it came. */
  take(work: Work): void
}

/**
 * At most `share` pieces a turn. What follows from an event needs turns of its own: a connection to whoever is acknowledged
 * to rests for one or two after each answer. Were a turn as long as the senders have requests for it, they would come so
 * rarely that acknowledgements fall behind for as long as the load lasts.
 */
export function createTurns(share: number): Turns {
  const waiting: Work[] = []
  /** Counted on where no turn has had many: to be told of the end of each would cost one more. */
  const many = Math.ceil(share / 2)
  let done = 0

  function next(): void {
    done = 0
    for (const work of waiting.splice(0, share)) proceed(work)
  }
  function proceed(work: Work): void {
    if (++done === many) setImmediate(next)
    work.proceed()
  }

  return {
    take(work) {
      if (done < share && waiting.length === 0) proceed(work)
      else waiting.push(work)
    },
  }
}
