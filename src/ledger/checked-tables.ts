import { setImmediate as nextTick } from 'node:timers/promises'
import * as lmdb from 'lmdb'
import { asBinary, type Database, type Key, type RangeOptions, type RootDatabase } from 'lmdb'
import { HeadgateError } from '../contract/errors.js'
import { diskReason } from './disk-error.js'

/** The bytes of a key as they are in the file. Exported by lmdb, and missing in its types. */
const { keyValueToBuffer } = lmdb as unknown as { keyValueToBuffer(key: Key): Buffer }

/** A table of the index. Rows can be read at any time, and change only within `write` or `writeSync` of its tables. */
export interface Table<Value, TableKey extends Key = Key> {
  get(key: TableKey): Value | undefined
  /** The bytes of a value; valid until the next read. */
  getBinaryFast(key: TableKey): Buffer | undefined
  getRange(range: RangeOptions): Iterable<{ key: TableKey; value: Value }>
  getKeys(range: RangeOptions): Iterable<TableKey>
  getStats(): object
  put(key: TableKey, value: Value): void
  remove(key: TableKey): void
  clear(): void
}

/** Checksums of the tables of one owner, by their names. */
export type TableChecksums = Readonly<Record<string, number>>

export const CHECKSUMS = 'checksums'
const ROW = 0

/** The name that a table has in the file. `owner` is empty for the process. */
export const tableName = (owner: string, name: string): string => (owner === '' ? name : `${owner}/${name}`)

/** The owner and the name of a table, by its name in the file. */
export function splitTableName(path: string): { readonly owner: string; readonly name: string } {
  const slash = path.lastIndexOf('/')
  return { owner: path.slice(0, Math.max(0, slash)), name: path.slice(slash + 1) }
}

/**
 * The tables of one owner: a pipeline, or the process. Each change also writes a row with the checksums of all of these
 * tables, in the same transaction: in a file whose pages are of different transactions, as a power loss can leave it, the
 * tables do not match that row (`stored-rows.ts` checks it).
 */
export class CheckedTables {
  readonly #database: RootDatabase
  readonly #stored: Database<TableChecksums, number>
  readonly #owner: string
  readonly #tables = new Map<string, CheckedTable<unknown, Key>>()
  /** The checksums when the tables were opened: of tables that this version does not know, too. */
  readonly #checksums: TableChecksums

  constructor(database: RootDatabase, owner: string) {
    this.#database = database
    this.#owner = owner
    this.#stored = database.openDB<TableChecksums, number>({
      name: tableName(owner, CHECKSUMS),
      encoding: 'json',
    })
    this.#checksums = this.#stored.get(ROW) ?? {}
  }

  table<Value, TableKey extends Key>(
    name: string,
    encoding: 'msgpack' | 'binary' = 'msgpack',
  ): Table<Value, TableKey> {
    const rows = this.#database.openDB<Value, TableKey>({ name: tableName(this.#owner, name), encoding })
    const table = new CheckedTable<Value, TableKey>(rows, encoding, this.#checksums[name] ?? 0)
    this.#tables.set(name, table as unknown as CheckedTable<unknown, Key>)
    return table
  }

  /**
   * Writes all that `fill` changes in one transaction, carried out by a thread of the index. `fill` runs at once. Must not be
   * called again before the transaction has ended. If the disk cannot take it, rejects with HG_STATE_WRITE and writes
   * nothing.
   */
  async write(fill: () => void): Promise<void> {
    this.#begin()
    try {
      await this.#database.batch(() => this.#fillAll(fill))
    } catch (error) {
      throw this.#rollback(await commitErrorOf(error))
    }
  }

  /** The same at once, for rare changes. Must not be called while `write` is under way. */
  writeSync(fill: () => void): void {
    this.#begin()
    try {
      this.#database.transactionSync(() => this.#fillAll(fill))
    } catch (error) {
      throw this.#rollback(error)
    }
  }

  #fillAll(fill: () => void): void {
    // Otherwise the rows that the last transaction wrote are not seen.
    this.#database.resetReadTxn()
    fill()
    const checksums = Object.fromEntries([...this.#tables].map(([name, { checksum }]) => [name, checksum]))
    void this.#stored.put(ROW, { ...this.#checksums, ...checksums })
  }

  /** A database that refuses a transaction at once has written nothing of it. */
  #begin(): void {
    for (const table of this.#tables.values()) table.begin()
  }

  #rollback(error: unknown): HeadgateError {
    for (const table of this.#tables.values()) table.rollback()
    if (error instanceof HeadgateError) return error
    const { path: file } = this.#database as unknown as { readonly path: string }
    return new HeadgateError('HG_STATE_WRITE', `Cannot write ${file}: ${diskReason(error, file)}.`)
  }
}

class CheckedTable<Value, TableKey extends Key> implements Table<Value, TableKey> {
  readonly #rows: Database<Value, TableKey>
  readonly #encode: (value: Value) => Buffer
  #checksum: number
  #checksumBefore: number
  #cleared = false
  /** Checksums of the rows that this transaction has changed: the file does not have them yet. */
  readonly #changed = new Map<string, number>()

  constructor(rows: Database<Value, TableKey>, encoding: 'msgpack' | 'binary', checksum: number) {
    this.#rows = rows
    this.#checksum = checksum
    this.#checksumBefore = checksum
    const { encoder } = rows as unknown as { readonly encoder: { encode(value: Value): Buffer } }
    this.#encode =
      encoding === 'binary' ? (value) => value as unknown as Buffer : (value) => encoder.encode(value)
  }

  get checksum(): number {
    return this.#checksum
  }

  get(key: TableKey): Value | undefined {
    return this.#rows.get(key)
  }

  getBinaryFast(key: TableKey): Buffer | undefined {
    return this.#rows.getBinaryFast(key)
  }

  getRange(range: RangeOptions): Iterable<{ key: TableKey; value: Value }> {
    return this.#rows.getRange(range)
  }

  getKeys(range: RangeOptions): Iterable<TableKey> {
    return this.#rows.getKeys(range)
  }

  getStats(): object {
    return this.#rows.getStats()
  }

  put(key: TableKey, value: Value): void {
    const bytes = this.#encode(value)
    const keyBytes = keyValueToBuffer(key)
    this.#replace(key, keyBytes, rowChecksum(keyBytes, bytes))
    void this.#rows.put(key, asBinary(bytes) as unknown as Value)
  }

  remove(key: TableKey): void {
    this.#replace(key, keyValueToBuffer(key), 0)
    void this.#rows.remove(key)
  }

  clear(): void {
    this.#cleared = true
    this.#changed.clear()
    this.#checksum = 0
    void this.#rows.clearAsync()
  }

  begin(): void {
    this.#checksumBefore = this.#checksum
    this.#cleared = false
    this.#changed.clear()
  }

  rollback(): void {
    this.#checksum = this.#checksumBefore
  }

  #replace(key: TableKey, keyBytes: Buffer, next: number): void {
    const name = keyBytes.toString('latin1')
    const present = this.#changed.get(name) ?? (this.#cleared ? 0 : this.#stored(key, keyBytes))
    this.#checksum = (this.#checksum - present + next) >>> 0
    this.#changed.set(name, next)
  }

  #stored(key: TableKey, keyBytes: Buffer): number {
    const value = this.#rows.getBinaryFast(key)
    return value === undefined ? 0 : rowChecksum(keyBytes, value)
  }
}

/**
 * lmdb reports the reason of a failed commit by a promise of its own, and an unhandled rejection ends the process.
 */
async function commitErrorOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<never> }
  return Promise.resolve(commitError).then(
    () => error,
    (cause: unknown) => cause,
  )
}

/** The number of rows of a table; does not read them. */
export const rowCount = (table: Pick<Table<unknown>, 'getStats'>): number =>
  (table.getStats() as { readonly entryCount: number }).entryCount

/** Keys of rows that changed since the table was last written. */
export class DirtyKeys<TableKey> {
  #dirty = new Set<TableKey>()
  #writing = new Set<TableKey>()

  get isEmpty(): boolean {
    return this.#dirty.size + this.#writing.size === 0
  }

  add(key: TableKey): void {
    this.#dirty.add(key)
  }

  /** Those that the transaction that begins has to write; those of the one before are among them if it failed. */
  take(): Iterable<TableKey> {
    this.#writing = new Set([...this.#writing, ...this.#dirty])
    this.#dirty = new Set()
    return this.#writing
  }

  /** The transaction has succeeded. */
  written(): void {
    this.#writing = new Set()
  }
}

/** Rows that are read at a time: the next event does not wait for all of them. */
const SLICE = 2000

/**
 * All rows that `read` finds, in the order of their keys, a slice in each tick. Ends early once `closed` returns true:
 * nothing can be read any more then.
 */
export async function* inSlices<Row>(
  read: (range: RangeOptions) => Iterable<Row>,
  keyOf: (row: Row) => Key,
  closed: () => boolean,
): AsyncGenerator<readonly Row[]> {
  let from: RangeOptions = {}
  for (;;) {
    await nextTick()
    if (closed()) return
    const rows = [...read({ ...from, limit: SLICE })]
    yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < SLICE) return
    from = { start: keyOf(last), exclusiveStart: true }
  }
}

const OFFSET_BASIS = 0x811c9dc5
const PRIME = 0x01000193

/** FNV-1a with 32 bits, continued from `from`. A loop of our own: a call into zlib costs more than the few bytes of a row. */
export function checksum(bytes: Uint8Array, from = OFFSET_BASIS): number {
  let hash = from
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), PRIME)
  return hash >>> 0
}

/**
 * The checksum of a row. That of a table is the sum over its rows, so that a change of one row does not need the others. The
 * last steps (of MurmurHash3) spread differences over all bits, so that they do not cancel out in the sum.
 */
export function rowChecksum(key: Uint8Array, value: Uint8Array): number {
  let hash = checksum(value, checksum(key))
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
