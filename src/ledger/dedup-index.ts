import type { Table } from './checked-tables.js'
import { IDENTITY_BYTES } from './identity.js'
import { inSlices } from './in-slices.js'
import { createRowIndex, word } from './row-index.js'
import type { Known } from './rows.js'

/** Events in the order in which they became known, a segment of them in each row of the table. */
export type EventTable = Table<Buffer, number>

/** The events of one generation. */
export interface EventRows {
  /** Takes up those that the table has. Before anything else, unless it is to have none of them. */
  load(): Promise<void>
  size(): number
  /** No more than the capacity. What is there already of the identity does not count any more. */
  add(identity: string, known: Known): void
  find(identity: string): Known | undefined
  hasNews(): boolean
  /** Puts what is not in the table into it. To be called within a transaction. */
  put(): void
  /** What was put has been written. Where this is not called, it is put again. */
  written(): void
}

const PARTITION_AT = IDENTITY_BYTES
const OFFSET_AT = PARTITION_AT + 4
const COMMITTED_AT = OFFSET_AT + 8
const ROW_BYTES = COMMITTED_AT + 8
/** As many as LMDB stores in one of its pages, which have 4096 bytes, 16 of them for itself: more would need several in a row. */
const SEGMENT_ROWS = 113

/** Of so many segments, all of them full; also the first row of the segment with that number. */
export const rowsIn = (segments: number): number => segments * SEGMENT_ROWS

/**
 * Events come one after another, and so they are kept: half a second's worth of them is a few pages of the table. By their
 * identities, which are random, each would be in a page of its own, to be read, copied and written for it alone.
 */
export function createEventRows(table: EventTable, capacity: number): EventRows {
  /** The segments that are not in the table, or not all of them, by their number. The last of them is the one that is filled. */
  const unwritten = new Map<number, Buffer>()
  const index = createRowIndex(capacity, holds)
  let filling: Buffer = Buffer.alloc(0)
  let size = 0
  let writtenTo = 0
  let putTo = 0

  function holds(row: number, identity: string): boolean {
    const segment = segmentOf(row)
    const at = placeOf(row)
    for (let byte = 0; byte < IDENTITY_BYTES; byte += 4)
      if (segment.readInt32LE(at + byte) !== word(identity, byte)) return false
    return true
  }
  const segmentOf = (row: number): Buffer => {
    const number = numberOf(row)
    return unwritten.get(number) ?? (table.getBinaryFast(number) as Buffer)
  }
  function take(number: number, stored: Buffer): void {
    for (let at = 0; at < stored.length; at += ROW_BYTES)
      index.add(stored.toString('latin1', at, at + IDENTITY_BYTES), size++)
    if (placeOf(size) === 0) return
    filling = newSegment()
    stored.copy(filling)
    unwritten.set(number, filling)
  }

  return {
    async load() {
      const stored = inSlices(
        (range) => table.getRange(range),
        ({ key }) => key,
        () => false,
      )
      for await (const segments of stored) for (const { key, value } of segments) take(key, value)
      writtenTo = size
    },
    size: () => size,
    add(identity, { key: [partition, offset], committedAt }) {
      const at = placeOf(size)
      if (at === 0) {
        filling = newSegment()
        unwritten.set(numberOf(size), filling)
      }
      filling.write(identity, at, IDENTITY_BYTES, 'latin1')
      filling.writeUInt32LE(partition, at + PARTITION_AT)
      filling.writeDoubleLE(offset, at + OFFSET_AT)
      filling.writeDoubleLE(committedAt, at + COMMITTED_AT)
      index.add(identity, size++)
    },
    find(identity) {
      const row = index.find(identity)
      if (row === undefined) return undefined
      const segment = segmentOf(row)
      const at = placeOf(row)
      return {
        key: [segment.readUInt32LE(at + PARTITION_AT), segment.readDoubleLE(at + OFFSET_AT)],
        committedAt: segment.readDoubleLE(at + COMMITTED_AT),
      }
    },
    hasNews: () => size > writtenTo,
    put() {
      putTo = size
      if (size === writtenTo) return
      for (const [number, segment] of unwritten)
        table.put(number, segment.subarray(0, (size - rowsIn(number)) * ROW_BYTES))
    },
    written() {
      writtenTo = putTo
      for (const number of unwritten.keys()) if (rowsIn(number + 1) <= writtenTo) unwritten.delete(number)
    },
  }
}

const numberOf = (row: number): number => Math.floor(row / SEGMENT_ROWS)
const placeOf = (row: number): number => (row % SEGMENT_ROWS) * ROW_BYTES
/** Not of the pool, of which all the rest would be held with it. */
const newSegment = (): Buffer => Buffer.allocUnsafeSlow(SEGMENT_ROWS * ROW_BYTES)
