interface Waiting {
  readonly endsAt: number
  /** Undefined once it is over. */
  late: (() => void) | undefined
}

/** So many that are over may stand before the first that is not. */
const MOST_OVER = 1024

/**
 * Gives what a promise gives or, when that takes longer than `ms` milliseconds, what `late` gives; the promise goes on.
 * One timer serves them all: they end in the order in which they began. They wait in an array, and not in a Set: the
 * tables that a Set outgrows keep what was in them alive until the next major garbage collection, which was a whole
 * event each.
 */
export function deadline(ms: number): <Value>(promise: Promise<Value>, late: () => Value) => Promise<Value> {
  const waiting: Waiting[] = []
  let first = 0
  let timer: NodeJS.Timeout | undefined

  function end(entry: Waiting): void {
    entry.late = undefined
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

  return (promise, late) =>
    new Promise((resolve, reject) => {
      const entry: Waiting = { endsAt: performance.now() + ms, late: () => resolve(late()) }
      waiting.push(entry)
      if (timer === undefined) timer = setTimeout(expire, ms).unref()
      promise.then(
        (value) => {
          end(entry)
          resolve(value)
        },
        (reason) => {
          end(entry)
          reject(reason)
        },
      )
    })
}
