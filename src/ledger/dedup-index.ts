import { rowCount, type Table } from './checked-tables.js'
import type { LedgerClock } from './clock.js'
import { type EventTable, Generation, type IndexedEvent, rowsIn } from './dedup-generation.js'

export interface DedupLimits {
  /** How long the index keeps an event, in milliseconds. */
  readonly window: number
  /** How many events it keeps. */
  readonly entries: number
}

/**
 * The index of events by identity, by which redeliveries are detected. It has two generations, each for a whole window (or
 * the whole number of entries): when one is full, the other is dropped as a whole and started again. So an eviction costs
 * nothing for an event, and each event stays until as many newer ones have come, in whatever order a recovery read those
 * that came before.
 */
export class DedupIndex {
  readonly #tables: readonly [EventTable, EventTable]
  readonly #starts: Table<number, number>
  readonly #clock: Pick<LedgerClock, 'now'>
  #limits: DedupLimits
  #older: Generation | undefined
  #newer: Generation
  /** Those that the current transaction writes. */
  #writing: readonly Generation[] = []

  private constructor(
    tables: readonly [EventTable, EventTable],
    starts: Table<number, number>,
    limits: DedupLimits,
    clock: Pick<LedgerClock, 'now'>,
    [first, second]: readonly (Generation | undefined)[],
  ) {
    this.#tables = tables
    this.#starts = starts
    this.#limits = limits
    this.#clock = clock
    const swapped = first !== undefined && first.startedAt > (second?.startedAt ?? 0)
    this.#older = swapped ? second : first
    this.#newer = (swapped ? first : second) ?? this.#start(0)
  }

  /** Loads the events that the tables have. `starts`: when each generation was started. */
  static async open(
    tables: readonly [EventTable, EventTable],
    starts: Table<number, number>,
    limits: DedupLimits,
    clock: Pick<LedgerClock, 'now'>,
  ): Promise<DedupIndex> {
    const load = async (number: 0 | 1): Promise<Generation | undefined> => {
      const startedAt = starts.get(number)
      if (startedAt === undefined) return undefined
      const capacity = Math.max(1, limits.entries, rowsIn(rowCount(tables[number])))
      const generation = new Generation(tables[number], number, startedAt, capacity)
      await generation.load()
      return generation
    }
    return new DedupIndex(tables, starts, limits, clock, [await load(0), await load(1)])
  }

  lookup(identity: string): IndexedEvent | undefined {
    const event = this.#newer.lookup(identity) ?? this.#older?.lookup(identity)
    return event === undefined || this.#clock.now() - event.committedAt > this.#limits.window
      ? undefined
      : event
  }

  insert(identity: string, event: IndexedEvent): void {
    if (this.#newer.size >= Math.min(this.#newer.capacity, this.#limits.entries)) this.#rotate()
    this.#newer.insert(identity, event)
  }

  get isDirty(): boolean {
    return this.#newer.isDirty || this.#older?.isDirty === true
  }

  /** Puts new events into the tables. Called within a transaction, and not again before that has ended. */
  write(): void {
    if (this.#clock.now() - this.#newer.startedAt >= this.#limits.window) this.#rotate()
    this.#writing = this.#older === undefined ? [this.#newer] : [this.#older, this.#newer]
    for (const generation of this.#writing) {
      if (generation.isNew) {
        this.#tables[generation.number].clear()
        this.#starts.put(generation.number, generation.startedAt)
      }
      generation.write()
    }
  }

  /** The transaction has succeeded. Without this call, the next transaction writes the same events again. */
  written(): void {
    for (const generation of this.#writing) generation.written()
  }

  /** The index has all events since then; milliseconds since the epoch. */
  get since(): number {
    return (this.#older ?? this.#newer).startedAt
  }

  /** Applies to new events; events that were dropped do not come back. */
  limit(limits: DedupLimits): void {
    this.#limits = limits
  }

  #rotate(): void {
    this.#older = this.#newer
    this.#newer = this.#start(this.#newer.number === 0 ? 1 : 0)
  }

  #start(number: 0 | 1): Generation {
    return new Generation(
      this.#tables[number],
      number,
      this.#clock.now(),
      Math.max(1, this.#limits.entries),
      true,
    )
  }
}
