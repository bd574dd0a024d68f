import type { RootDatabase } from 'lmdb'
import { CHECKSUMS, type TableChecksums, tableName } from './checked-tables.js'
import { rowChecksum } from './checksum.js'
import { Damage, type StoredRow, type StoredTable } from './lmdb-pages.js'

/** Rows that are written in one transaction: LMDB keeps the pages of one in memory. */
const TRANSACTION_ROWS = 10_000

/**
 * Copies tables into an empty database, and checks that each has exactly the rows of its checksum: that they are those of
 * one transaction. Returns how many rows that are. Throws Damage; the copy is of no use then.
 */
export function copyTables(tables: readonly StoredTable[], target: RootDatabase): number {
  const owners = new Map<string, Record<string, number>>()
  let copied = 0
  for (const { name: bytes, rows } of tables) {
    const name = bytes.toString().replace(/\0$/, '')
    // lmdb writes names as C does.
    if (!Buffer.from(`${name}\0`).equals(bytes)) throw new Damage('it has a table without a name')
    const slash = name.lastIndexOf('/')
    const owner = name.slice(0, Math.max(0, slash))
    const checksums = owners.get(owner) ?? {}
    owners.set(owner, checksums)
    const { checksum, count } = copyTable(name, rows(), target)
    copied += count
    checksums[name.slice(slash + 1)] = checksum
  }
  for (const [owner, found] of owners) requireSame(owner, found, storedChecksums(owner, target))
  return copied
}

function copyTable(
  name: string,
  rows: Iterable<StoredRow>,
  target: RootDatabase,
): { readonly checksum: number; readonly count: number } {
  const table = target.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' })
  const left = rows[Symbol.iterator]()
  let checksum = 0
  let count = 0
  const copySome = (): boolean => {
    for (let row = 0; row < TRANSACTION_ROWS; row++) {
      const { value: found, done } = left.next()
      if (done) return false
      checksum = (checksum + rowChecksum(found.key, found.value)) >>> 0
      count++
      table.putSync(found.key, found.value)
    }
    return true
  }
  while (target.transactionSync(copySome));
  return { checksum, count }
}

function storedChecksums(owner: string, target: RootDatabase): TableChecksums {
  try {
    const table = target.openDB<TableChecksums, number>({
      name: tableName(owner, CHECKSUMS),
      encoding: 'msgpack',
    })
    return table.get(0) ?? {}
  } catch {
    throw new Damage(`the checksums of ${owner === '' ? 'the process' : `"${owner}"`} cannot be read`)
  }
}

function requireSame(owner: string, found: TableChecksums, stored: TableChecksums): void {
  for (const name of new Set([...Object.keys(found), ...Object.keys(stored)])) {
    if (name !== CHECKSUMS && (found[name] ?? 0) !== (stored[name] ?? 0))
      throw new Damage(`the rows of table "${tableName(owner, name)}" do not match their checksum`)
  }
}
