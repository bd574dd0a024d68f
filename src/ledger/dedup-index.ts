import { inSlices, rowCount, type Table } from './checked-tables.js'
import type { LedgerClock } from './clock.js'
import { HashIndex, word } from './hash-index.js'
import { IDENTITY_BYTES } from './identity.js'
import type { AckKey } from './rows.js'

/** An event of the index: the key of its record, and when the ledger learned of it, in milliseconds since the epoch. */
export interface IndexedEvent {
  readonly key: AckKey
  readonly committedAt: number
}

export interface DedupLimits {
  /** How long the index keeps an event, in milliseconds. */
  readonly window: number
  /** How many events it keeps. */
  readonly entries: number
}

/** Events in the order in which they came, a segment of them in each row of the table. */
export type EventTable = Table<Buffer, number>

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

  /** From when on the index has events without a gap; milliseconds since the epoch. */
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

const PARTITION_AT = IDENTITY_BYTES
const OFFSET_AT = PARTITION_AT + 4
const COMMITTED_AT = OFFSET_AT + 8
const ROW_BYTES = COMMITTED_AT + 8
/** As many as fit into one page of LMDB, which has 4096 bytes, 16 of them for itself: more would need several in a row. */
const SEGMENT_ROWS = 113

/** Rows of so many full segments; also the number of the first row of the segment with that number. */
const rowsIn = (segments: number): number => segments * SEGMENT_ROWS

/**
 * The events of one generation. They are stored in the order in which they came: half a second's worth of them is a few
 * pages of the table. By their identities, which are random, each would be in a page of its own, which would be read,
 * copied and written for it alone.
 */
class Generation {
  readonly number: 0 | 1
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** How many events there is room for. */
  readonly capacity: number
  readonly #table: EventTable
  /** Segments that are not, or not wholly, in the table, by number. The last of them is the one that is filled. */
  readonly #unwritten = new Map<number, Buffer>()
  readonly #index: HashIndex
  #filling: Buffer = Buffer.alloc(0)
  #size = 0
  #writtenTo = 0
  #putTo = 0
  #isNew: boolean

  constructor(table: EventTable, number: 0 | 1, startedAt: number, capacity: number, isNew = false) {
    this.number = number
    this.startedAt = startedAt
    this.capacity = capacity
    this.#table = table
    this.#isNew = isNew
    this.#index = new HashIndex(capacity, (row, identity) => this.#holds(row, identity))
  }

  get size(): number {
    return this.#size
  }

  /** Nothing of it has been written: its table still has the events of the generation that was dropped. */
  get isNew(): boolean {
    return this.#isNew
  }

  get isDirty(): boolean {
    return this.#size > this.#writtenTo
  }

  /** Indexes the events of the table. */
  async load(): Promise<void> {
    const stored = inSlices(
      (range) => this.#table.getRange(range),
      ({ key }) => key,
      () => false,
    )
    for await (const segments of stored) for (const { key, value } of segments) this.#loadSegment(key, value)
    this.#writtenTo = this.#size
  }

  /** No more than the capacity. Replaces an earlier event with this identity. */
  insert(identity: string, { key: [partition, offset], committedAt }: IndexedEvent): void {
    const at = byteOf(this.#size)
    if (at === 0) {
      this.#filling = newSegment()
      this.#unwritten.set(segmentOf(this.#size), this.#filling)
    }
    const segment = this.#filling
    segment.write(identity, at, IDENTITY_BYTES, 'latin1')
    segment.writeUInt32LE(partition, at + PARTITION_AT)
    segment.writeDoubleLE(offset, at + OFFSET_AT)
    segment.writeDoubleLE(committedAt, at + COMMITTED_AT)
    this.#index.insert(identity, this.#size++)
  }

  lookup(identity: string): IndexedEvent | undefined {
    const row = this.#index.lookup(identity)
    if (row === undefined) return undefined
    const segment = this.#segmentWith(row)
    const at = byteOf(row)
    return {
      key: [segment.readUInt32LE(at + PARTITION_AT), segment.readDoubleLE(at + OFFSET_AT)],
      committedAt: segment.readDoubleLE(at + COMMITTED_AT),
    }
  }

  /** Puts new events into the table. Called within a transaction. */
  write(): void {
    this.#putTo = this.#size
    if (!this.isDirty) return
    for (const [number, segment] of this.#unwritten)
      this.#table.put(number, segment.subarray(0, (this.#size - rowsIn(number)) * ROW_BYTES))
  }

  written(): void {
    this.#isNew = false
    this.#writtenTo = this.#putTo
    for (const number of this.#unwritten.keys())
      if (rowsIn(number + 1) <= this.#writtenTo) this.#unwritten.delete(number)
  }

  #holds(row: number, identity: string): boolean {
    const segment = this.#segmentWith(row)
    const at = byteOf(row)
    for (let byte = 0; byte < IDENTITY_BYTES; byte += 4)
      if (segment.readInt32LE(at + byte) !== word(identity, byte)) return false
    return true
  }

  #segmentWith(row: number): Buffer {
    const number = segmentOf(row)
    return this.#unwritten.get(number) ?? (this.#table.getBinaryFast(number) as Buffer)
  }

  #loadSegment(number: number, stored: Buffer): void {
    for (let at = 0; at < stored.length; at += ROW_BYTES)
      this.#index.insert(stored.toString('latin1', at, at + IDENTITY_BYTES), this.#size++)
    if (byteOf(this.#size) === 0) return
    this.#filling = newSegment()
    stored.copy(this.#filling)
    this.#unwritten.set(number, this.#filling)
  }
}

const segmentOf = (row: number): number => Math.floor(row / SEGMENT_ROWS)
/** The first byte of the row in its segment. */
const byteOf = (row: number): number => (row % SEGMENT_ROWS) * ROW_BYTES
/** Not of the pool, all of which it would keep in memory. */
const newSegment = (): Buffer => Buffer.allocUnsafeSlow(SEGMENT_ROWS * ROW_BYTES)
