interface Waiting {
  readonly endsAt: number
  late(): void
}

/**
 * Gives what a promise gives or, when that takes longer than `ms` milliseconds, what `late` gives; the promise goes on.
 * One timer serves them all: they end in the order in which they began.
 */
export function deadline(ms: number): <Value>(promise: Promise<Value>, late: () => Value) => Promise<Value> {
  const waiting = new Set<Waiting>()
  let timer: NodeJS.Timeout | undefined

  function expire(): void {
    timer = undefined
    for (const first of waiting) {
      const left = first.endsAt - performance.now()
      if (left > 0) {
        timer = setTimeout(expire, left).unref()
        return
      }
      waiting.delete(first)
      first.late()
    }
  }

  return (promise, late) =>
    new Promise((resolve, reject) => {
      const entry = { endsAt: performance.now() + ms, late: () => resolve(late()) }
      waiting.add(entry)
      if (timer === undefined) timer = setTimeout(expire, ms).unref()
      promise.then(
        (value) => {
          waiting.delete(entry)
          resolve(value)
        },
        (reason) => {
          waiting.delete(entry)
          reject(reason)
        },
      )
    })
}
