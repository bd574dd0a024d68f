/** Something that has a deadline, and is not over. */
export interface Due {
  readonly endsAt: number
  /** Undefined once it is over. */
  late: (() => void) | undefined
}

export interface Deadline {
  /** Calls `late` when its time is up, unless it ends before. */
  begin(late: () => void): Due
  end(due: Due): void
}

/** So many that are over may stand before the first that is not. */
const MOST_OVER = 1024

/**
 * The same number of milliseconds for each. One timer serves them all: their times are up in the order in which they began.
 * They wait in an array, and not in a Set: the tables that a Set outgrows keep what was in them alive until the next major
 * garbage collection, which was a whole event each.
 */
export function createDeadline(ms: number): Deadline {
  const waiting: Due[] = []
  let first = 0
  let timer: NodeJS.Timeout | undefined

  function end(due: Due): void {
    due.late = undefined
    while (first < waiting.length && waiting[first]?.late === undefined) first++
    if (first < waiting.length && first < MOST_OVER) return
    waiting.splice(0, first)
    first = 0
  }
  function expire(): void {
    timer = undefined
    for (let next = waiting[first]; next !== undefined; next = waiting[first]) {
      const left = next.endsAt - performance.now()
      if (left > 0) {
        timer = setTimeout(expire, left).unref()
        return
      }
      next.late?.()
      end(next)
    }
  }

  return {
    begin(late) {
      const due: Due = { endsAt: performance.now() + ms, late }
      waiting.push(due)
      if (timer === undefined) timer = setTimeout(expire, ms).unref()
      return due
    },
    end,
  }
}
