import type { RootDatabase } from 'lmdb'
import { CHECKSUMS, rowChecksum, splitTableName, type TableChecksums, tableName } from './checked-tables.js'
import { Damage, type StoredRow, type StoredTable } from './lmdb-pages.js'

/** Reads all rows of a table. */
type ReadRows = (table: string, rows: Iterable<StoredRow>) => void

/**
 * Gives all rows to `readRows`, and checks that those of each table match its checksum: that they are of one transaction.
 * Returns the number of rows. Throws Damage, possibly after all rows were read.
 */
export function checkTables(tables: readonly StoredTable[], readRows: ReadRows): number {
  const owners = new Map<string, { found: Record<string, number>; stored: TableChecksums }>()
  let count = 0
  for (const { name: bytes, rows } of tables) {
    const path = nameIn(bytes)
    const { owner, name } = splitTableName(path)
    const checksums = owners.get(owner) ?? { found: {}, stored: {} }
    owners.set(owner, checksums)
    let checksum = 0
    const counted = function* (): Generator<StoredRow> {
      for (const row of rows()) {
        checksum = (checksum + rowChecksum(row.key, row.value)) >>> 0
        count++
        if (name === CHECKSUMS) checksums.stored = parse(row.value, path)
        yield row
      }
    }
    readRows(path, counted())
    if (name !== CHECKSUMS) checksums.found[name] = checksum
  }
  for (const [owner, { found, stored }] of owners) {
    for (const name of new Set([...Object.keys(found), ...Object.keys(stored)])) {
      if ((found[name] ?? 0) !== (stored[name] ?? 0))
        throw new Damage(`the rows of table "${tableName(owner, name)}" do not match their checksum`)
    }
  }
  return count
}

/** lmdb stores names as C strings. */
function nameIn(bytes: Buffer): string {
  const name = bytes.toString().replace(/\0$/, '')
  if (!Buffer.from(`${name}\0`).equals(bytes)) throw new Damage('it has a table without a name')
  return name
}

function parse(value: Buffer, table: string): TableChecksums {
  try {
    return JSON.parse(value.toString()) as TableChecksums
  } catch {
    throw new Damage(`table "${table}" cannot be read`)
  }
}

/** Rows that one transaction writes: LMDB keeps its pages in memory. */
const TRANSACTION_ROWS = 10_000

/** Copies the rows into an empty database. */
export const copyInto =
  (target: RootDatabase): ReadRows =>
  (name, rows) => {
    const table = target.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' })
    const remaining = rows[Symbol.iterator]()
    const copySome = (): boolean => {
      for (let row = 0; row < TRANSACTION_ROWS; row++) {
        const { value: found, done } = remaining.next()
        if (done) return false
        table.putSync(found.key, found.value)
      }
      return true
    }
    while (target.transactionSync(copySome));
  }

export const onlyRead: ReadRows = (_, rows) => {
  for (const _row of rows);
}
