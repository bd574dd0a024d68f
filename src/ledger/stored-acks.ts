import { inSlices, rowCount, type Table } from './checked-tables.js'
import {
  type AckKey,
  type AckRow,
  type FailedAck,
  type SpilledKey,
  type StageAfter,
  type StoredAck,
  spilledKey,
  toRow,
} from './rows.js'
import { keysOf, type Unwritten, type WriteBuffer } from './unwritten.js'

/** The pending acknowledgements of a pipeline. Its changes are part of the buffer of the store. */
export class PendingAcks {
  readonly #table: Table<AckRow, number[]>
  /** The keys of the spilled ones, in the order in which they are loaded. */
  readonly #spilledTable: Table<1, number[]>
  readonly #fromRow: (key: AckKey, row: AckRow) => StoredAck
  readonly #buffer: WriteBuffer
  #count: number
  #closed = false

  constructor(
    table: Table<AckRow, number[]>,
    spilledTable: Table<1, number[]>,
    fromRow: (key: AckKey, row: AckRow) => StoredAck,
    buffer: WriteBuffer,
  ) {
    this.#table = table
    this.#spilledTable = spilledTable
    this.#fromRow = fromRow
    this.#buffer = buffer
    this.#count = rowCount(table)
  }

  /** Adds a pending acknowledgement; there must be none with its key. */
  add(ack: StoredAck): void {
    this.#count++
    this.#buffer.changes.added.set(ack.key, ack)
  }

  /** Updates a pending acknowledgement. */
  update(ack: StoredAck): void {
    if (this.#buffer.changes.added.has(ack.key)) this.#buffer.changes.added.set(ack.key, ack)
    else this.#buffer.changes.changed.set(ack.key, ack)
  }

  /** Removes a pending acknowledgement. */
  settle(key: AckKey): void {
    this.#count--
    if (!this.#buffer.changes.added.delete(key)) this.#buffer.changes.changed.set(key, undefined)
  }

  has(key: AckKey): boolean {
    return this.#find(key) !== undefined
  }

  /** The number of all pending acknowledgements, the spilled ones included. */
  get count(): number {
    return this.#count
  }

  /**
   * The acknowledgements that were in memory when the state was last written. Reads all that are pending, unless an orderly
   * stop has spilled them all. Called once, at the start.
   */
  load(stoppedInOrder: boolean): StoredAck[] {
    // A stop does not spill an acknowledgement in flight for a stage that no longer exists: then there are more rows here.
    if (stoppedInOrder && this.#count === rowCount(this.#spilledTable)) return []
    const loaded: StoredAck[] = []
    for (const { key, value } of this.#table.getRange({})) {
      const ack = this.#fromRow(key as unknown as AckKey, value)
      if (!ack.spilled) loaded.push(ack)
    }
    return loaded
  }

  /**
   * Loads spilled acknowledgements into memory: of each level up to its limit, the earliest due first. Undefined while those
   * loaded before are not written yet: they are still in the table, and would be loaded twice.
   */
  loadSpilled(limits: readonly number[]): StoredAck[] | undefined {
    if (this.#buffer.changes.unspilled.length > 0 || this.#buffer.writing !== undefined) return undefined
    const loaded: StoredAck[] = []
    for (const [level, limit] of limits.entries()) {
      const range = { start: [level], end: [level + 1], limit }
      const keys = limit === 0 ? [] : (this.#spilledTable.getKeys(range) as Iterable<unknown>)
      for (const key of keys as Iterable<SpilledKey>) {
        this.#buffer.changes.unspilled.push(key)
        const found = this.#find([key[3], key[4]])
        if (!found?.spilled) continue
        const ack = { ...found, spilled: false }
        this.update(ack)
        loaded.push(ack)
      }
    }
    return loaded
  }

  /** Moves spilled acknowledgements to other post-commit stages. Returns how many have no stage left and are dropped. */
  restageSpilled(stageAfter: StageAfter): number {
    let dropped = 0
    for (const key of keysOf(this.#table, this.#buffer.writing?.added, this.#buffer.changes.added)) {
      const ack = this.#find(key)
      if (!ack?.spilled) continue
      const stage = stageAfter(ack.stage)
      if (stage === ack.stage) continue
      this.#buffer.changes.unspilled.push(spilledKey(ack))
      if (Number.isFinite(stage)) this.update({ ...ack, stage })
      else {
        this.settle(key)
        dropped++
      }
    }
    return dropped
  }

  /** When the record of each pending acknowledgement was committed, as of the last flush, in slices. Ends early at `close`. */
  async *committedTimes(): AsyncGenerator<readonly number[]> {
    const slices = inSlices(
      (range) => this.#table.getRange(range),
      ({ key }) => key,
      () => this.#closed,
    )
    for await (const rows of slices) yield rows.map(({ value }) => value[2])
  }

  /** The one of the oldest record in these partitions, or without a record, as of the last flush. */
  oldest(partitions: readonly number[]): StoredAck | undefined {
    let oldest: StoredAck | undefined
    for (const number of [0, ...partitions]) {
      const range = { start: [number, 0], end: [number + 1, 0], limit: 1 }
      for (const { key, value } of this.#table.getRange(range)) {
        const ack = this.#fromRow(key as unknown as AckKey, value)
        if (oldest === undefined || ack.committedAt < oldest.committedAt) oldest = ack
      }
    }
    return oldest
  }

  /** The lowest offset of a partition with one, as of the last flush. */
  firstOffset(partition: number): number | undefined {
    const [first] = this.#table.getKeys({ start: [partition, 0], end: [partition + 1, 0], limit: 1 })
    return first?.[1]
  }

  /** Within a transaction. */
  write({ added, changed, unspilled }: Unwritten): void {
    for (const key of unspilled) this.#spilledTable.remove([...key])
    for (const [key, ack] of changed.entries()) {
      if (ack === undefined) this.#table.remove([...key])
      else this.#put(ack)
    }
    for (const [, ack] of added.entries()) this.#put(ack)
  }

  /** Nothing can be read any more. */
  close(): void {
    this.#closed = true
  }

  #put(ack: StoredAck): void {
    this.#table.put([...ack.key], toRow(ack))
    if (ack.spilled) this.#spilledTable.put([...spilledKey(ack)], 1)
  }

  #find(key: AckKey): StoredAck | undefined {
    const { changes, writing } = this.#buffer
    let ack = changes.find(key)
    if (ack === 'unsaid' && writing !== undefined) ack = writing.find(key)
    if (ack !== 'unsaid') return ack
    const row = this.#table.get([...key])
    return row && this.#fromRow(key, row)
  }
}

/** A failed acknowledgement on disk. */
type FailedRow = readonly [row: AckRow, code: string, message: string, failedAt: number]

/** The acknowledgements of a pipeline that failed for good. Its changes are part of the buffer of the store. */
export class FailedAcks {
  readonly #table: Table<FailedRow, number[]>
  readonly #load: (key: AckKey, row: AckRow) => StoredAck
  readonly #buffer: WriteBuffer
  #count: number

  constructor(
    table: Table<FailedRow, number[]>,
    load: (key: AckKey, row: AckRow) => StoredAck,
    buffer: WriteBuffer,
  ) {
    this.#table = table
    this.#load = load
    this.#buffer = buffer
    this.#count = rowCount(table)
  }

  get count(): number {
    return this.#count
  }

  add(failed: FailedAck): void {
    if (this.#find(failed.key) === undefined) this.#count++
    this.#buffer.changes.failed.set(failed.key, { ...failed, spilled: false })
  }

  all(): FailedAck[] {
    const { changes, writing } = this.#buffer
    const keys = keysOf(this.#table, changes.failed, writing?.failed)
    return keys.flatMap((key) => this.#find(key) ?? [])
  }

  /** Removes one; the caller makes it pending again. */
  remove({ key }: FailedAck): void {
    this.#count--
    this.#buffer.changes.failed.set(key, undefined)
  }

  /** Moves all to other post-commit stages. They stay even if no stage is left to notify. */
  restage(stageAfter: StageAfter): void {
    for (const failed of this.all()) {
      const stage = stageAfter(failed.stage)
      if (stage !== failed.stage) this.#buffer.changes.failed.set(failed.key, { ...failed, stage })
    }
  }

  /** Within a transaction. */
  write(changes: Unwritten['failed']): void {
    for (const [key, failed] of changes.entries()) {
      if (failed === undefined) this.#table.remove([...key])
      else {
        const { code, message } = failed.reason
        this.#table.put([...key], [toRow(failed), code, message, failed.failedAt])
      }
    }
  }

  #find(key: AckKey): FailedAck | undefined {
    const { changes, writing } = this.#buffer
    if (changes.failed.has(key)) return changes.failed.get(key)
    if (writing?.failed.has(key)) return writing.failed.get(key)
    const found = this.#table.get([...key])
    if (found === undefined) return undefined
    const [row, code, message, failedAt] = found
    return { ...this.#load(key, row), reason: { code, message }, failedAt }
  }
}
