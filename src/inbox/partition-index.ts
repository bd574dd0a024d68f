import { HashIndex } from '../ledger/dedup-generation.js'
import { IDENTITY_BYTES } from '../ledger/identity.js'

export interface IndexLimits {
  /** Milliseconds for which an event is a redelivery of an earlier one. */
  readonly window: number
  /** Events that the index of a partition keeps at least, if so many are within the window. */
  readonly entries: number
}

/**
 * The events of one partition of the inbox, by their identities. Whether an event is a redelivery depends on nothing but
 * records in Kafka: times are those of the records, so that every owner decides the same, also hours later. It has two
 * generations, as the index of a ledger has: when one is full, the other is emptied and filled. So its hundreds of
 * small buffers are made once.
 */
export class PartitionIndex {
  readonly #limits: IndexLimits
  #older: Generation | undefined
  #newer: Generation

  constructor(limits: IndexLimits) {
    this.#limits = limits
    this.#newer = new Generation(limits.entries)
  }

  /** Whether an event with this identity came within the window before `timestamp`. */
  has(identity: string, timestamp: number): boolean {
    const came = this.#newer.timeOf(identity) ?? this.#older?.timeOf(identity)
    return came !== undefined && this.isRedelivery(came, timestamp)
  }

  /** Whether an event of this time is a redelivery of an equal one that came before. */
  isRedelivery(came: number, timestamp: number): boolean {
    return timestamp - came <= this.#limits.window
  }

  insert(identity: string, timestamp: number): void {
    const { window, entries } = this.#limits
    if (entries === 0) return
    const isOver = this.#newer.size > 0 && timestamp - this.#newer.startedAt > window
    if (this.#newer.size === entries || isOver) {
      const emptied = this.#older ?? new Generation(entries)
      emptied.empty()
      this.#older = this.#newer
      this.#newer = emptied
    }
    this.#newer.insert(identity, timestamp)
  }

  /** The time of the oldest event; undefined if there is none. */
  get since(): number | undefined {
    const { startedAt, size } = this.#older ?? this.#newer
    return size === 0 ? undefined : startedAt
  }
}

const ROW_BYTES = IDENTITY_BYTES + 8
/** Rows come in chunks: a generation that is not full does not take the memory of a full one. */
const CHUNK_ROWS = 256

class Generation {
  readonly #chunks: Buffer[] = []
  readonly #index: HashIndex
  startedAt = 0
  size = 0

  constructor(capacity: number) {
    this.#index = new HashIndex(capacity, (row, identity) => {
      const at = (row % CHUNK_ROWS) * ROW_BYTES
      return (
        this.#chunkOf(row).toString('latin1', at, at + IDENTITY_BYTES) === identity.slice(0, IDENTITY_BYTES)
      )
    })
  }

  insert(identity: string, timestamp: number): void {
    const row = this.size++
    if (row === 0) this.startedAt = timestamp
    if (row === this.#chunks.length * CHUNK_ROWS)
      this.#chunks.push(Buffer.allocUnsafeSlow(CHUNK_ROWS * ROW_BYTES))
    const at = (row % CHUNK_ROWS) * ROW_BYTES
    const chunk = this.#chunkOf(row)
    chunk.write(identity, at, IDENTITY_BYTES, 'latin1')
    chunk.writeDoubleLE(timestamp, at + IDENTITY_BYTES)
    this.#index.insert(identity, row)
  }

  empty(): void {
    this.#index.empty()
    this.size = 0
  }

  timeOf(identity: string): number | undefined {
    const row = this.#index.lookup(identity)
    return row === undefined
      ? undefined
      : this.#chunkOf(row).readDoubleLE((row % CHUNK_ROWS) * ROW_BYTES + IDENTITY_BYTES)
  }

  #chunkOf(row: number): Buffer {
    return this.#chunks[Math.floor(row / CHUNK_ROWS)] as Buffer
  }
}
