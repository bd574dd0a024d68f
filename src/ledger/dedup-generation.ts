import { inSlices, type Table } from './checked-tables.js'
import { IDENTITY_BYTES } from './identity.js'
import type { AckKey } from './rows.js'

/**
 * An event of the index: the key of its record, and the time at which the ledger got it, in milliseconds since the
 * epoch.
 */
export interface IndexedEvent {
  readonly key: AckKey
  readonly committedAt: number
}

/** Events in the order in which they came, a segment of them in each row of the table. */
export type EventTable = Table<Buffer, number>

const PARTITION_AT = IDENTITY_BYTES
const OFFSET_AT = PARTITION_AT + 4
const COMMITTED_AT = OFFSET_AT + 8
const ROW_BYTES = COMMITTED_AT + 8
/** As many as fit into one page of LMDB, which has 4096 bytes, 16 of them for itself: more would need several in a row. */
const SEGMENT_ROWS = 113

/** Rows of so many full segments; also the number of the first row of the segment with that number. */
export const rowsIn = (segments: number): number => segments * SEGMENT_ROWS

/**
 * The events of one generation. They are stored in the order in which they came: half a second's worth of them is a few
 * pages of the table. By their identities, which are random, each would be in a page of its own, which would be read,
 * copied and written for it alone.
 */
export class Generation {
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

/** Cells that may be in use. With more, a lookup of an unknown identity reads more than one line of a processor's cache. */
const LOAD_FACTOR = 0.75
const RANGE = 2 ** 32

/**
 * Finds the row of an event by its identity. Four bytes a cell, because there is a cell for every event of the index: the
 * number of the row, and in the remaining bits as much of the identity, which rules out nearly all unknown events.
 */
export class HashIndex {
  readonly #cells: Int32Array
  readonly #rowBits: number
  readonly #rowMask: number
  readonly #holds: (row: number, identity: string) => boolean

  /** For rows from 0 to below `capacity`, which is at most 2 ** 30. `holds` tells whether a row has an identity. */
  constructor(capacity: number, holds: (row: number, identity: string) => boolean) {
    this.#cells = new Int32Array(Math.ceil((capacity + 1) / LOAD_FACTOR))
    this.#rowBits = 32 - Math.clz32(capacity)
    this.#rowMask = 2 ** this.#rowBits - 1
    this.#holds = holds
  }

  insert(identity: string, row: number): void {
    const cells = this.#cells
    let at = this.#firstCell(identity)
    while (cells[at] !== 0) at = at + 1 === cells.length ? 0 : at + 1
    cells[at] = (word(identity, 4) << this.#rowBits) | (row + 1)
  }

  empty(): void {
    this.#cells.fill(0)
  }

  /** The newest row with this identity. */
  lookup(identity: string): number | undefined {
    const cells = this.#cells
    const rowMask = this.#rowMask
    const mark = word(identity, 4) << this.#rowBits
    let found: number | undefined
    for (let at = this.#firstCell(identity); cells[at] !== 0; at = at + 1 === cells.length ? 0 : at + 1) {
      const cell = cells[at] as number
      if ((cell & ~rowMask) !== mark) continue
      const row = (cell & rowMask) - 1
      if (this.#holds(row, identity)) found = row
    }
    return found
  }

  #firstCell(identity: string): number {
    return Math.floor(((word(identity, 0) >>> 0) / RANGE) * this.#cells.length)
  }
}

/** Four bytes of an identity. They are bytes of a hash, so no two groups of them depend on each other. */
export const word = (identity: string, at: number): number =>
  identity.charCodeAt(at) |
  (identity.charCodeAt(at + 1) << 8) |
  (identity.charCodeAt(at + 2) << 16) |
  (identity.charCodeAt(at + 3) << 24)
