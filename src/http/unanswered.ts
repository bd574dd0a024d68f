import type { Duplex } from 'node:stream'

/** Requests that are owed an answer: in all, and on each connection. */
export interface Unanswered {
  readonly total: number
  on(connection: Duplex): number
  begin(connection: Duplex): void
  end(connection: Duplex): void
}

/** `onNone` is called each time that the last request has been answered. */
export function countUnanswered(onNone: () => void): Unanswered {
  const counts = new WeakMap<Duplex, number>()
  let total = 0
  return {
    get total() {
      return total
    },
    on: (connection) => counts.get(connection) ?? 0,
    begin(connection) {
      total++
      counts.set(connection, (counts.get(connection) ?? 0) + 1)
    },
    end(connection) {
      counts.set(connection, (counts.get(connection) ?? 0) - 1)
      if (--total === 0) onNone()
    },
  }
}
