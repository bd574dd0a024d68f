import type { Table } from './checked-tables.js'
import type { AckKey, FailedAck, SpilledKey, StoredAck } from './rows.js'

/** A map by keys of acknowledgements. They are numbers: a lookup does not build a key. */
export class AckMap<Value> {
  readonly #partitions: (Map<number, Value> | undefined)[] = []

  get size(): number {
    let size = 0
    for (const offsets of this.#partitions) size += offsets?.size ?? 0
    return size
  }

  get([partition, offset]: AckKey): Value | undefined {
    return this.#partitions[partition]?.get(offset)
  }

  has([partition, offset]: AckKey): boolean {
    return this.#partitions[partition]?.has(offset) === true
  }

  set([partition, offset]: AckKey, value: Value): void {
    let offsets = this.#partitions[partition]
    if (offsets === undefined) {
      offsets = new Map()
      this.#partitions[partition] = offsets
    }
    offsets.set(offset, value)
  }

  delete([partition, offset]: AckKey): boolean {
    return this.#partitions[partition]?.delete(offset) === true
  }

  *entries(): Generator<readonly [AckKey, Value]> {
    for (const [partition, offsets] of this.#partitions.entries()) {
      if (offsets === undefined) continue
      for (const [offset, value] of offsets) yield [[partition, offset], value]
    }
  }
}

/** The keys of a table, and of rows that it does not have yet. */
export function keysOf(
  table: Table<unknown, number[]>,
  ...unwritten: readonly (AckMap<unknown> | undefined)[]
): AckKey[] {
  const keys = new AckMap<true>()
  for (const key of table.getKeys({})) keys.set(key as unknown as AckKey, true)
  for (const some of unwritten) for (const [key] of some?.entries() ?? []) keys.set(key, true)
  return [...keys.entries()].map(([key]) => key)
}

/** Changes of the state that are not on disk yet. */
export class Unwritten {
  /** Pending, and not on disk. An acknowledgement that is settled in time never gets there. */
  readonly added = new AckMap<StoredAck>()
  /** On disk in another form; undefined if nothing is pending any more. Written before `added`. */
  readonly changed = new AckMap<StoredAck | undefined>()
  /** Keys of spilled acknowledgements that were loaded into memory, or have another key now. */
  readonly unspilled: SpilledKey[] = []
  /** Failed acknowledgements; undefined if one is pending again. */
  readonly failed = new AckMap<FailedAck | undefined>()
  /** Checkpoints of partitions, by their number. */
  readonly checkpoints = new Map<number, number>()

  get isEmpty(): boolean {
    return (
      this.unspilled.length +
        this.checkpoints.size +
        this.added.size +
        this.changed.size +
        this.failed.size ===
      0
    )
  }

  /** The acknowledgement according to these changes; `unsaid` if they do not mention it: then the disk decides. */
  find(key: AckKey): StoredAck | undefined | 'unsaid' {
    const ack = this.added.get(key) ?? this.changed.get(key)
    return ack !== undefined || this.changed.has(key) ? ack : 'unsaid'
  }

  /** These changes, which could not be written, and the newer ones. */
  mergedWith(newer: Unwritten): Unwritten {
    const all = new Unwritten()
    for (const [key, ack] of this.added.entries()) if (!newer.changed.has(key)) all.added.set(key, ack)
    for (const [key, ack] of newer.added.entries()) all.added.set(key, ack)
    for (const { changed, unspilled, failed, checkpoints } of [this, newer]) {
      for (const [key, ack] of changed.entries()) all.changed.set(key, ack)
      for (const [key, ack] of failed.entries()) all.failed.set(key, ack)
      for (const [number, offset] of checkpoints) all.checkpoints.set(number, offset)
      all.unspilled.push(...unspilled)
    }
    return all
  }
}

/** The changes of a store in memory: those that come, and those that a transaction is writing. Reads ask them in this order. */
export class WriteBuffer {
  #changes = new Unwritten()
  #writing: Unwritten | undefined

  get changes(): Unwritten {
    return this.#changes
  }

  get writing(): Unwritten | undefined {
    return this.#writing
  }

  /** A transaction writes the changes so far; new ones are collected for the next. */
  begin(): Unwritten {
    const batch = this.#changes
    this.#changes = new Unwritten()
    this.#writing = batch
    return batch
  }

  /** If the transaction failed, the next one writes its changes. */
  end(succeeded: boolean): void {
    if (!succeeded && this.#writing !== undefined) this.#changes = this.#writing.mergedWith(this.#changes)
    this.#writing = undefined
  }
}
