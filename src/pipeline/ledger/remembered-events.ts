import type { Database } from 'lmdb'
import type { OwedKey } from './state-rows.js'

export interface StateLimits {
  /** How long an event is remembered, in milliseconds. */
  readonly window: number
  /** How many events are remembered. */
  readonly entries: number
}

interface Found {
  readonly key: OwedKey
  readonly committedAt: number
}

type EventRow = readonly [partition: number, offset: number, committedAt: number]

/** The events that are recognised when they come again. */
export interface RememberedEvents {
  recall(identity: string): Found | undefined
  remember(identity: string, key: OwedKey, committedAt: number): void
  hasNews(): boolean
  /** Before a write: begins a new generation where the present one is full or old. */
  rotate(): Promise<void>
  /** Within a transaction. */
  write(): void
  written(): void
  notWritten(): void
  since(): number
}

/**
 * Events are kept in generations of half a window (or half the number of entries), the oldest of which is dropped as a
 * whole: forgetting costs nothing an event, and a look-up asks at most three small tables.
 */
const GENERATIONS = 3

export function createMemory(
  open: (generation: number) => Database<EventRow, string>,
  starts: Database<number, number>,
  { window, entries }: StateLimits,
): RememberedEvents {
  const tables = Array.from({ length: GENERATIONS }, (_, generation) => open(generation))
  const startedAt = tables.map((_, generation) => starts.get(generation) ?? 0)
  let current = startedAt.indexOf(Math.max(...startedAt))
  let size = countOf(tables[current])
  let news = new Map<string, EventRow>()
  let writing = new Map<string, EventRow>()

  const lookUp = (identity: string): EventRow | undefined => {
    const unwritten = news.get(identity) ?? writing.get(identity)
    if (unwritten !== undefined) return unwritten
    for (let back = 0; back < GENERATIONS; back++) {
      const generation = (current - back + GENERATIONS) % GENERATIONS
      // A generation that never began is empty.
      const row = startedAt[generation] === 0 ? undefined : tables[generation]?.get(identity)
      if (row !== undefined) return row
    }
    return undefined
  }

  return {
    recall(identity) {
      const row = lookUp(identity)
      if (row === undefined || Date.now() - row[2] > window) return undefined
      return { key: [row[0], row[1]], committedAt: row[2] }
    },
    remember: (identity, [partition, offset], committedAt) =>
      void news.set(identity, [partition, offset, committedAt]),
    hasNews: () => news.size > 0,
    async rotate() {
      writing = news
      news = new Map()
      const now = Date.now()
      const began = startedAt[current] ?? 0
      if (began !== 0 && size < entries / 2 && now - began < window / 2) return
      const next = began === 0 ? current : (current + 1) % GENERATIONS
      await tables[next]?.clearAsync()
      await starts.put(next, now)
      startedAt[next] = now
      current = next
      size = 0
    },
    write() {
      const table = tables[current]
      for (const [identity, row] of writing) void table?.put(identity, row)
    },
    written() {
      size += writing.size
      writing = new Map()
    },
    notWritten() {
      news = new Map([...writing, ...news])
      writing = new Map()
    },
    since: () => Math.min(...startedAt.filter((began) => began > 0), Date.now()),
  }
}

const countOf = (table: Database<EventRow, string> | undefined): number =>
  (table?.getStats() as { entryCount: number } | undefined)?.entryCount ?? 0
