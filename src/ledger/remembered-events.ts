import type { Table } from './checked-tables.js'
import type { LedgerClock } from './clock.js'
import { createEventRows, type EventRows, type EventTable, rowsIn } from './dedup-index.js'
import { rowCount } from './row-count.js'
import type { Known } from './rows.js'

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
  /** Puts what is new into the tables. To be called within a transaction, and not again before that has ended. */
  write(): void
  /** The transaction has succeeded. Where this is not called, the next one is given all of it again. */
  written(): void
  /** Since when events are remembered without a gap; milliseconds since the epoch. */
  since(): number
  /** From now on; what has been forgotten stays forgotten. */
  limit(limits: StateLimits): void
}

interface Generation {
  /** Of its table, 0 or 1. */
  readonly number: number
  /** Milliseconds since the epoch. */
  readonly began: number
  /** Events that there is room for. */
  readonly capacity: number
  readonly rows: EventRows
  /** Nothing of it has been written: its table has what is forgotten. */
  unwritten: boolean
}

/**
 * Events are kept in two generations, each of a whole window (or the whole number of entries): where one is full, the other
 * is dropped as a whole and begun anew. So forgetting costs nothing an event, and each is kept until so many newer ones have
 * come, in whatever order a read-back brought those that came before.
 */
export async function openRememberedEvents(
  tables: readonly [EventTable, EventTable],
  starts: Table<number, number>,
  limits: StateLimits,
  clock: Pick<LedgerClock, 'now'>,
): Promise<RememberedEvents> {
  let { window, entries } = limits
  const tableOf = (number: number): EventTable => tables[number === 0 ? 0 : 1]
  const begin = (number: number): Generation => {
    const capacity = Math.max(1, entries)
    const rows = createEventRows(tableOf(number), capacity)
    return { number, began: clock.now(), capacity, rows, unwritten: true }
  }
  const load = async (number: number): Promise<Generation | undefined> => {
    const began = starts.get(number)
    if (began === undefined) return undefined
    const capacity = Math.max(1, entries, rowsIn(rowCount(tableOf(number))))
    const rows = createEventRows(tableOf(number), capacity)
    await rows.load()
    return { number, began, capacity, rows, unwritten: false }
  }

  let [older, newer] = [await load(0), await load(1)]
  if (older !== undefined && older.began > (newer?.began ?? 0)) [older, newer] = [newer, older]
  let current = newer ?? begin(0)
  let writing: readonly Generation[] = []

  const generations = (): readonly Generation[] => (older === undefined ? [current] : [older, current])
  const rotate = (): void => {
    older = current
    current = begin(1 - current.number)
  }
  const isFull = ({ rows, capacity }: Generation): boolean => rows.size() >= Math.min(capacity, entries)

  return {
    recall(identity) {
      const known = current.rows.find(identity) ?? older?.rows.find(identity)
      return known === undefined || clock.now() - known.committedAt > window ? undefined : known
    },
    remember(identity, known) {
      if (isFull(current)) rotate()
      current.rows.add(identity, known)
    },
    hasNews: () => generations().some(({ rows }) => rows.hasNews()),
    write() {
      if (clock.now() - current.began >= window) rotate()
      writing = generations()
      for (const { number, began, rows, unwritten } of writing) {
        if (unwritten) {
          tableOf(number).clear()
          starts.put(number, began)
        }
        rows.put()
      }
    },
    written() {
      for (const generation of writing) {
        generation.unwritten = false
        generation.rows.written()
      }
    },
    since: () => (older ?? current).began,
    limit(next) {
      window = next.window
      entries = next.entries
    },
  }
}
