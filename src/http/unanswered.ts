/** Requests that are owed an answer, on all connections. */
export interface Unanswered {
  readonly total: number
  begin(): void
  end(): void
}

/** `onNone` is called each time that the last request has been answered. */
export function countUnanswered(onNone: () => void): Unanswered {
  let total = 0
  return {
    get total() {
      return total
    },
    begin() {
      total++
    },
    end() {
      if (--total === 0) onNone()
    },
  }
}
