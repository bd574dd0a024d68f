import { randomUUID } from 'node:crypto'
import type { RootDatabase } from 'lmdb'
import type { Position } from '../contract/index.js'
import { CheckedTables, type Table } from './checked-tables.js'
import { type ClockReading, LedgerClock } from './clock.js'
import type { EventTable, IndexedEvent } from './dedup-generation.js'
import { DedupIndex, type DedupLimits } from './dedup-index.js'
import type { DedupBy } from './identity.js'
import { LogMarks, PartitionNumbers, StoredProofs } from './log-tables.js'
import { type AckKey, type AckRow, fromRow, type StoredAck } from './rows.js'
import { FailedAcks, PendingAcks } from './stored-acks.js'
import { type Unwritten, WriteBuffer } from './unwritten.js'

const BY = 'recognisedBy'
const CLEAN = 'clean'
const LAST = 'last'
const ID = 'id'

/**
 * The state of one pipeline on disk: the index of its events, its pending acknowledgements, the checkpoint of each
 * partition. Every change is made in memory first and written by `flush`, in one transaction: no event waits for the disk,
 * and an acknowledgement that is settled before the next flush never touches it. Reads see both.
 */
export class LedgerStore {
  /** All times in the state are of this clock. */
  readonly clock: LedgerClock
  readonly pending: PendingAcks
  readonly failed: FailedAcks
  /** The data that identifies the log. */
  readonly marks: LogMarks
  readonly proofs: StoredProofs
  /** Of this process among the instances of the pipeline. It lasts as long as the state. */
  readonly instanceId: string

  readonly #tables: CheckedTables
  readonly #checkpoints: Table<number, number>
  readonly #terms: Table<DedupBy, string>
  readonly #stops: Table<true, string>
  readonly #clocks: Table<ClockReading, string>
  readonly #partitions: PartitionNumbers
  readonly #index: DedupIndex
  readonly #buffer = new WriteBuffer()

  #dedupBy: DedupBy | undefined
  #dedupByChanged = false
  #sequence: number

  private constructor(
    tables: CheckedTables,
    clock: LedgerClock,
    clocks: Table<ClockReading, string>,
    index: DedupIndex,
  ) {
    this.#tables = tables
    this.clock = clock
    this.#clocks = clocks
    this.#index = index
    // Table names are part of the format of the index.
    this.#checkpoints = tables.table('checkpoints')
    this.#partitions = new PartitionNumbers(tables.table('partitions'))
    this.marks = new LogMarks(tables.table('log'), this.#partitions)
    this.proofs = new StoredProofs(tables.table('proofs'))
    this.#terms = tables.table('terms')
    this.#stops = tables.table('stops')
    const load = (key: AckKey, row: AckRow): StoredAck => this.#fromRow(key, row)
    this.pending = new PendingAcks(tables.table('pending'), tables.table('spilled'), load, this.#buffer)
    this.failed = new FailedAcks(tables.table('failed'), load, this.#buffer)
    this.#dedupBy = this.#terms.get(BY)
    this.#sequence = clock.now() * 1000
    const instance = tables.table<string, string>('instance')
    this.instanceId = instance.get(ID) ?? randomUUID()
    if (instance.get(ID) === undefined) tables.writeSync(() => instance.put(ID, this.instanceId))
  }

  static async open(database: RootDatabase, pipeline: string, limits: DedupLimits): Promise<LedgerStore> {
    const tables = new CheckedTables(database, pipeline)
    const clocks = tables.table<ClockReading, string>('clock')
    const clock = new LedgerClock(clocks.get(LAST))
    const events = (generation: number): EventTable => tables.table(`events.${generation}`, 'binary')
    const starts = tables.table<number, number>('generations')
    const index = await DedupIndex.open([events(0), events(1)], starts, limits, clock)
    return new LedgerStore(tables, clock, clocks, index)
  }

  /** The event with this identity, if the log of its record is still there. */
  lookup(identity: string): IndexedEvent | undefined {
    const event = this.#index.lookup(identity)
    return event !== undefined && this.#partitions.isCurrent(event.key[0]) ? event : undefined
  }

  insert(identity: string, event: IndexedEvent): void {
    this.#index.insert(identity, event)
    this.marks.mark(identity, event.key)
  }

  /** The same for an unproven record; see `Claims`. */
  insertUnproven(identity: string, event: IndexedEvent): void {
    this.#index.insert(identity, event)
    this.proofs.noteUnproven(this.clock.now())
  }

  /** The index has all events since then; milliseconds since the epoch. */
  get indexedSince(): number {
    return this.#index.since
  }

  limit(limits: DedupLimits): void {
    this.#index.limit(limits)
  }

  /** The setting by which the events of the index were identified; undefined if there never were any. */
  get dedupBy(): DedupBy | undefined {
    return this.#dedupBy
  }

  /** From the next flush on. */
  setDedupBy(by: DedupBy): void {
    if (by === this.#dedupBy) return
    this.#dedupBy = by
    this.#dedupByChanged = true
  }

  /** The pending acknowledgement of the oldest record, as of the last flush. */
  oldestPending(): StoredAck | undefined {
    return this.pending.oldest(this.#partitions.all())
  }

  keyOf({ topic, partition, offset }: Position): AckKey {
    return [this.#partitions.numberOf(topic, partition), offset]
  }

  positionOf([number, offset]: AckKey): Position | undefined {
    const at = this.#partitions.partitionOf(number)
    return at && { topic: at.topic, partition: at.partition, offset }
  }

  /** A key for an event that has no record. */
  nextKey(): AckKey {
    return [0, this.#sequence++]
  }

  /** The offset below which the state has all of a partition; undefined if it has nothing of it. */
  checkpoint(topic: string, partition: number): number | undefined {
    const number = this.#partitions.find(topic, partition)
    if (number === undefined) return undefined
    const { changes, writing } = this.#buffer
    return (
      changes.checkpoints.get(number) ?? writing?.checkpoints.get(number) ?? this.#checkpoints.get(number)
    )
  }

  /** Moves the checkpoint of a partition to an offset, from the next flush on. */
  advance([number, offset]: AckKey): void {
    this.#buffer.changes.checkpoints.set(number, offset)
  }

  /** For each partition the offset below which nothing is pending, as of the last flush. */
  acknowledgedUpTo(): Position[] {
    return this.#partitions.current().flatMap((number) => {
      const checkpoint = this.#checkpoints.get(number)
      const at = this.#partitions.partitionOf(number)
      if (checkpoint === undefined || at === undefined) return []
      const first = this.pending.firstOffset(number) ?? checkpoint
      return [{ topic: at.topic, partition: at.partition, offset: Math.min(checkpoint, first) }]
    })
  }

  /** Writes everything. Rejects with HG_STATE_WRITE if the disk cannot take it; the next flush tries all of it again. */
  async flush(): Promise<void> {
    if (!this.#isDirty()) return
    const batch = this.#buffer.begin()
    let succeeded = false
    try {
      // A thread of the index carries it out: thousands of rows would hold up the events that come meanwhile.
      await this.#tables.write(() => this.#write(batch))
      this.#index.written()
      this.#partitions.written()
      this.marks.written()
      this.proofs.written()
      this.#dedupByChanged = false
      succeeded = true
    } finally {
      this.#buffer.end(succeeded)
    }
  }

  /**
   * True once, after a stop at which no record was in flight to Kafka: its log has all the records that it will have. False
   * from then on, also after a crash.
   */
  takeCleanStop(): boolean {
    const clean = this.#stops.get(CLEAN) === true
    if (clean) this.#tables.writeSync(() => this.#stops.remove(CLEAN))
    return clean
  }

  /** Ends all reads. Called after the last flush; `clean` if no record is in flight to Kafka. */
  close(clean: boolean): void {
    this.pending.close()
    if (!clean) return
    this.#tables.writeSync(() => {
      this.#clocks.put(LAST, this.clock.reading())
      this.#stops.put(CLEAN, true)
    })
  }

  #isDirty(): boolean {
    return (
      this.#index.isDirty ||
      this.#partitions.isDirty ||
      this.marks.isDirty ||
      this.proofs.isDirty ||
      this.#dedupByChanged ||
      !this.#buffer.changes.isEmpty
    )
  }

  #write(batch: Unwritten): void {
    this.#partitions.write()
    this.failed.write(batch.failed)
    this.pending.write(batch)
    this.#index.write()
    this.marks.write()
    this.proofs.write()
    if (this.#dedupByChanged) this.#terms.put(BY, this.#dedupBy as DedupBy)
    for (const [number, offset] of batch.checkpoints) this.#checkpoints.put(number, offset)
    this.#clocks.put(LAST, this.clock.reading())
  }

  #fromRow(key: AckKey, row: AckRow): StoredAck {
    return fromRow(key, row, this.positionOf(key))
  }
}
