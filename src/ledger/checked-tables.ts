import * as lmdb from 'lmdb'
import { asBinary, type Database, type Key, type RangeOptions, type RootDatabase } from 'lmdb'
import { HeadgateError } from '../contract/errors.js'
import { rowChecksum } from './checksum.js'
import { diskReason } from './disk-error.js'

/** The bytes of a key as they are in the file. Exported by lmdb, and missing in its types. */
const { keyValueToBuffer } = lmdb as unknown as { keyValueToBuffer(key: Key): Buffer }

/** A table of the index. Rows are read at any time, and changed only within `write` or `writeSync` of its tables. */
export interface Table<Value, TableKey extends Key = Key> {
  get(key: TableKey): Value | undefined
  /** The bytes of a value, valid until the next read. */
  getBinaryFast(key: TableKey): Buffer | undefined
  getRange(range: RangeOptions): Iterable<{ key: TableKey; value: Value }>
  getKeys(range: RangeOptions): Iterable<TableKey>
  getStats(): object
  put(key: TableKey, value: Value): void
  remove(key: TableKey): void
  clear(): void
}

/**
 * The tables of one owner: a pipeline, or the process. With each change a row with the checksums of all of these tables is
 * written, in the same transaction: a file whose pages are of different transactions, as a power loss can leave it, has
 * tables that do not match that row (see `stored-rows.ts`, which checks it).
 */
export interface CheckedTables {
  table<Value, TableKey extends Key>(name: string, encoding?: 'msgpack' | 'binary'): Table<Value, TableKey>
  /**
   * All that `fill` changes, in one transaction, carried out by a thread of the index. `fill` runs at once. Not to be called
   * again before that has ended. Rejects with HG_STATE_WRITE if the disk cannot take it; nothing is written then.
   */
  write(fill: () => void): Promise<void>
  /** The same at once, for what is rare. Not to be called while `write` is under way. */
  writeSync(fill: () => void): void
}

/** Checksums of the tables of one owner, by their names. */
export type TableChecksums = Readonly<Record<string, number>>

export const CHECKSUMS = 'checksums'
const ROW = 0

/** The name that a table has in the file. `owner` is empty for the process. */
export const tableName = (owner: string, name: string): string => (owner === '' ? name : `${owner}/${name}`)

export function openCheckedTables(database: RootDatabase, owner: string): CheckedTables {
  const stored = database.openDB<TableChecksums, number>({
    name: tableName(owner, CHECKSUMS),
    encoding: 'json',
  })
  const { path: file } = database as unknown as { readonly path: string }
  const tables = new Map<string, CheckedTable<unknown, Key>>()
  const before = stored.get(ROW) ?? {}
  const fillAll = (fill: () => void): void => {
    // What the last transaction wrote has to be seen.
    database.resetReadTxn()
    for (const table of tables.values()) table.begin()
    fill()
    const checksums = Object.fromEntries([...tables].map(([name, { checksum }]) => [name, checksum]))
    void stored.put(ROW, { ...before, ...checksums })
  }
  const rollback = (error: unknown): HeadgateError => {
    for (const table of tables.values()) table.rollback()
    return error instanceof HeadgateError
      ? error
      : new HeadgateError('HG_STATE_WRITE', `Cannot write ${file}: ${diskReason(error, file)}.`)
  }

  return {
    table<Value, TableKey extends Key>(name: string, encoding: 'msgpack' | 'binary' = 'msgpack') {
      const rows = database.openDB<Value, TableKey>({ name: tableName(owner, name), encoding })
      const table = new CheckedTable<Value, TableKey>(rows, encoding, before[name] ?? 0)
      tables.set(name, table as unknown as CheckedTable<unknown, Key>)
      return table
    },
    async write(fill) {
      try {
        await database.batch(() => fillAll(fill))
      } catch (error) {
        throw rollback(await commitErrorOf(error))
      }
    },
    writeSync(fill) {
      try {
        database.transactionSync(() => fillAll(fill))
      } catch (error) {
        throw rollback(error)
      }
    },
  }
}

class CheckedTable<Value, TableKey extends Key> implements Table<Value, TableKey> {
  readonly #rows: Database<Value, TableKey>
  readonly #encode: (value: Value) => Buffer
  #checksum: number
  #checksumBefore: number
  #cleared = false
  /** The checksums of rows that this transaction has changed: the file does not have them yet. */
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

/** Of a failed commit lmdb tells the reason by a promise of its own, which ends the process unless somebody looks at it. */
async function commitErrorOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<never> }
  return Promise.resolve(commitError).then(
    () => error,
    (cause: unknown) => cause,
  )
}
