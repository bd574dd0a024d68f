import type { Database } from 'lmdb'
import { IDENTITY_BYTES } from './identity.js'
import type { Known } from './state-rows.js'

/** Events by their identity. */
export type EventTable = Database<Buffer, string>

/** As they are, for what takes less room takes less time: there are many, and those of one write lie all over the table. */
export const EVENT_TABLE = {
  encoding: 'binary',
  keyEncoder: {
    /** An empty key, not a text, is how lmdb clears the whole table. */
    writeKey: (identity: string | Buffer, target: Buffer, start: number): number =>
      typeof identity === 'string' ? start + target.write(identity, start, IDENTITY_BYTES, 'latin1') : start,
    readKey: (source: Buffer, start: number, end: number): string => source.toString('latin1', start, end),
  },
} as const

const OFFSET_AT = 4
const COMMITTED_AT = 12
const ROW_BYTES = 20
const FEWEST = 256

/** Events that are not in a table yet, as the rows that they will be there: objects would be many, and outlive the young. */
export interface EventRows {
  get(identity: string): Known | undefined
  set(identity: string, known: Known): void
  size(): number
  identities(): Iterable<string>
  /** To be called within a transaction. The rows must not be changed before it has ended. */
  putInto(table: EventTable): void
  /** Adds those of others; they replace what is there. */
  add(others: EventRows): void
}

export function eventRows(): EventRows {
  const rows = new Map<string, number>()
  let bytes = Buffer.allocUnsafe(0)

  return {
    get(identity) {
      const at = rows.get(identity)
      return at === undefined ? undefined : readRow(bytes, at)
    },
    set(identity, { key, committedAt }) {
      const at = rows.get(identity) ?? rows.size * ROW_BYTES
      if (at === bytes.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(FEWEST * ROW_BYTES, 2 * bytes.length))
        bytes.copy(larger)
        bytes = larger
      }
      bytes.writeUInt32LE(key[0], at)
      bytes.writeDoubleLE(key[1], at + OFFSET_AT)
      bytes.writeDoubleLE(committedAt, at + COMMITTED_AT)
      rows.set(identity, at)
    },
    size: () => rows.size,
    identities: () => rows.keys(),
    putInto(table) {
      for (const [identity, at] of rows) table.put(identity, bytes.subarray(at, at + ROW_BYTES))
    },
    add(others) {
      for (const identity of others.identities()) this.set(identity, others.get(identity) as Known)
    },
  }
}

/** What a table has of an event. */
export function eventIn(table: EventTable, identity: string): Known | undefined {
  const row = table.getBinaryFast(identity)
  return row === undefined ? undefined : readRow(row as Buffer, 0)
}

const readRow = (row: Buffer, at: number): Known => ({
  key: [row.readUInt32LE(at), row.readDoubleLE(at + OFFSET_AT)],
  committedAt: row.readDoubleLE(at + COMMITTED_AT),
})
