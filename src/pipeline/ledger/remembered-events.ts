import type { Database } from 'lmdb'
import { type EventTable, eventIn, eventRows } from './event-rows.js'
import { createFilter, type Filter } from './filter.js'
import { inSlices } from './in-slices.js'
import { rowCount } from './row-count.js'
import type { Known } from './state-rows.js'

export interface StateLimits {
  /** How long an event is remembered, in milliseconds. */
  readonly window: number
  /** How many events are remembered. */
  readonly entries: number
}

/** The events that are recognised when they come again. */
export interface RememberedEvents {
  recall(identity: string): Known | undefined
  remember(identity: string, known: Known): void
  hasNews(): boolean
  /** Before a write: begins a new generation where the present one is full or old. */
  rotate(): Promise<void>
  /** Within a transaction. */
  write(): void
  written(): void
  notWritten(): void
  since(): number
  /** From now on; what has been forgotten stays forgotten. */
  limit(limits: StateLimits): void
  /** Before the database is closed. */
  stop(): void
}

/**
 * Events are kept in two generations, each of a whole window (or the whole number of entries): where one is full, the other
 * is dropped as a whole and begun anew. So forgetting costs nothing an event, and each is kept until so many newer ones have
 * come, in whatever order a read-back brought those that came before.
 */
const GENERATIONS = 2

interface Generation {
  readonly table: EventTable
  /** Milliseconds since the epoch; 0 where it never began, and is empty. */
  began: number
  /** What is in the table; not asked before all of it has been added. */
  filter: Filter
  filled: boolean
}

export function createMemory(
  open: (generation: number) => EventTable,
  starts: Database<number, number>,
  limits: StateLimits,
): RememberedEvents {
  let { window, entries } = limits
  const newFilter = () => createFilter(entries)
  const generations = Array.from({ length: GENERATIONS }, (_, number): Generation => {
    const began = starts.get(number) ?? 0
    return { table: open(number), began, filter: newFilter(), filled: began === 0 }
  })
  const stopping = new AbortController()
  for (const generation of generations) if (!generation.filled) void fill(generation, stopping.signal)
  let current = generations.reduce((newest, { began }, number) => {
    return began > (generations[newest]?.began ?? 0) ? number : newest
  }, 0)
  let size = rowCount((generations[current] as Generation).table)
  let news = eventRows()
  let writing = eventRows()

  const lookUp = (identity: string): Known | undefined => {
    const unwritten = news.get(identity) ?? writing.get(identity)
    if (unwritten !== undefined) return unwritten
    for (let back = 0; back < GENERATIONS; back++) {
      const generation = generations[(current - back + GENERATIONS) % GENERATIONS] as Generation
      if (generation.filled && !generation.filter.mayHave(identity)) continue
      const known = eventIn(generation.table, identity)
      if (known !== undefined) return known
    }
    return undefined
  }

  return {
    recall(identity) {
      const known = lookUp(identity)
      return known === undefined || Date.now() - known.committedAt > window ? undefined : known
    },
    remember: (identity, known) => news.set(identity, known),
    hasNews: () => news.size() > 0,
    async rotate() {
      writing = news
      news = eventRows()
      const now = Date.now()
      const began = generations[current]?.began ?? 0
      if (began !== 0 && size < entries && now - began < window) return
      const number = began === 0 ? current : (current + 1) % GENERATIONS
      const next = generations[number] as Generation
      await next.table.clearAsync()
      await starts.put(number, now)
      next.began = now
      next.filter = newFilter()
      next.filled = true
      current = number
      size = 0
    },
    write: () => writing.putInto((generations[current] as Generation).table),
    written() {
      const { filter } = generations[current] as Generation
      for (const identity of writing.identities()) filter.add(identity)
      size += writing.size()
      writing = eventRows()
    },
    notWritten() {
      writing.add(news)
      news = writing
      writing = eventRows()
    },
    since: () => Math.min(...generations.map(({ began }) => began || Date.now())),
    limit(next) {
      window = next.window
      entries = next.entries
    },
    stop: () => stopping.abort(),
  }
}

/** Adds what is in a table since before to its filter. Until that is done, the table itself is asked. */
async function fill(generation: Generation, stopping: AbortSignal): Promise<void> {
  const { table, filter } = generation
  // Or it was cleared meanwhile, and has a new one.
  const over = () => stopping.aborted || generation.filter !== filter
  const keys = inSlices(
    (range) => table.getKeys(range),
    (key) => key,
    over,
  )
  for await (const some of keys) for (const key of some) filter.add(key)
  if (!over()) generation.filled = true
}
