import type { Duplex } from 'node:stream'

/** Requests that are owed an answer: in all, and on each connection. */
export interface Unanswered {
  readonly total: number
  on(connection: Duplex): number
  begin(connection: Duplex): void
  end(connection: Duplex): void
}

/** Kept on the connection itself: a map beside it would be asked four times for each request. */
const COUNT = Symbol('requests without an answer')

interface Counted {
  [COUNT]?: number
}

/** `onNone` is called each time that the last request has been answered. */
export function countUnanswered(onNone: () => void): Unanswered {
  const on = (connection: Duplex): number => (connection as Counted)[COUNT] ?? 0
  let total = 0
  return {
    get total() {
      return total
    },
    on,
    begin(connection) {
      total++
      ;(connection as Counted)[COUNT] = on(connection) + 1
    },
    end(connection) {
      ;(connection as Counted)[COUNT] = on(connection) - 1
      if (--total === 0) onNone()
    },
  }
}
