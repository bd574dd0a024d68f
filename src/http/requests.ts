/** Requests that have begun and not ended. */
export interface Requests {
  begin(): void
  end(): void
  /** Resolves when there are none. */
  none(): Promise<void>
}

export function countRequests(): Requests {
  let count = 0
  let waiting: (() => void)[] = []
  return {
    begin() {
      count++
    },
    end() {
      if (--count > 0) return
      for (const resolve of waiting) resolve()
      waiting = []
    },
    none: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
  }
}
