import { asHeadgateError, type HeadgateError } from '../contract/errors.js'
import type { InboxMember, Log, LoggedRecord, TransactionResult } from '../contract/index.js'
import type { DedupBy } from '../ledger/identity.js'
import { committedOf } from '../ledger/rows.js'
import type { Backoff } from '../lib/async.js'
import type { DecidedEvent } from '../pipeline/decision.js'
import { Assignment } from './assignment.js'
import { type Batch, nextBatch } from './batch.js'
import type { InboxAcks } from './inbox-acks.js'
import type { Action, Item, PastEvent } from './item.js'
import type { OwnedPartition } from './owned-partition.js'
import type { IndexLimits } from './partition-index.js'
import type { RestoreOptions } from './restore.js'

export interface WorkOffOptions {
  readonly member: InboxMember
  readonly topic: string
  readonly acks: InboxAcks
  /** The terms under the present config. */
  terms(): WorkOffTerms
  /** The way in which an event ends whose record Kafka refuses. */
  refused(decided: DecidedEvent, error: HeadgateError): Action
  read(record: LoggedRecord, by: DedupBy): Item | Promise<Item>
  past(record: LoggedRecord): PastEvent | undefined
  readonly earlier?: RestoreOptions['earlier']
  /** Called for each event when its transaction is committed. */
  onWorkedOff(item: Item, isDuplicate: boolean): void
  readonly observer: WorkOffObserver
  readonly log: Log
  /** Milliseconds on a monotonic clock. */
  now?(): number
}

export interface WorkOffTerms {
  readonly limits: IndexLimits
  readonly by: DedupBy
  /** With more pending acknowledgements than this, events stay in the inbox. */
  readonly maxPending: number
  /** An operator has paused the pipeline: its events stay where they are. */
  readonly isPaused?: boolean
}

/** A transaction, whatever became of it. */
export interface Step {
  /** On the monotonic clock. */
  readonly startedAt: number
  readonly events: number
}

/** For metrics. */
export interface WorkOffObserver {
  assigned(partitions: readonly number[]): void
  revoked(partitions: readonly number[]): void
  transaction(result: TransactionResult['kind'], milliseconds: number): void
}

/** Events of one transaction at most. The load decides how many there are: those that came during the transaction before. */
const MOST_EVENTS = 1000
/** Bytes that are polled and not worked off, about. */
const MOST_BYTES = 16 * 1024 * 1024
/** Milliseconds between attempts at an event that cannot be worked off now. */
const BACKOFF: Backoff = { initial: 200, max: 10_000 }

/**
 * Works off the partitions of the inbox that this instance owns: polls events, and for each batch commits their records and
 * the offsets in one transaction. Then their acknowledgements become pending.
 *
 * Invariants:
 * 1. The offset of a partition is committed only in a transaction with the records of all events below it.
 * 2. The index of an owned partition has every event below the committed offset, within its limits: a restore reads them, and
 *    after that only the transactions of this instance move the offset, while the group lets them.
 * 3. A partition that is revoked is forgotten, with its index, queue and pending acknowledgements, before the next transaction
 *    begins. If it comes back, it is restored again: meanwhile another instance may have moved its offset.
 * 4. An acknowledgement becomes pending after the transaction of its event is committed; the acknowledged position never passes
 *    a pending one.
 */
export class WorkOff {
  readonly assignment: Assignment
  readonly #options: WorkOffOptions
  readonly #member: InboxMember
  readonly #now: () => number
  /** Events in a transaction at most: fewer after Kafka refused one of several. */
  #limit = MOST_EVENTS
  /** So many of the next batches are of a single partition, after a batch of several could not be worked off. */
  #single = 0
  #first = 0

  constructor(options: WorkOffOptions) {
    this.#options = options
    this.#member = options.member
    this.assignment = new Assignment(options)
    this.#now = options.now ?? (() => performance.now())
  }

  /**
   * One poll and one transaction at most; undefined without one. Rejects if the poll does; it may be called again.
   */
  async step(): Promise<Step | undefined> {
    const { assigned, revoked, records } = await this.#member.poll(this.#room())
    if (revoked.length > 0) this.#options.observer.revoked(revoked)
    for (const number of revoked) await this.assignment.forget(number)
    if (assigned.length > 0) this.#options.observer.assigned(assigned)
    for (const number of assigned) this.assignment.own(number)
    const { acks, read, terms } = this.#options
    const { by, maxPending, isPaused = false } = terms()
    const items = records.map((record) => read(record, by))
    // Most transforms are synchronous: then nothing waits.
    for (const item of items.some(isPromise) ? await Promise.all(items) : items) this.#take(item as Item)
    this.assignment.readAcks()
    const isHeld = isPaused || acks.count >= maxPending
    this.assignment.pause(isHeld)
    if (isHeld) return undefined
    await this.#decideAgain()
    const batch = nextBatch(this.#turn(), this.#limit)
    if (batch === undefined) return undefined
    const startedAt = this.#now()
    await this.#workOff(batch, startedAt)
    return { startedAt, events: batch.entries.length }
  }

  /** For partitions whose next event is undecided. The others go on meanwhile. */
  async #decideAgain(): Promise<void> {
    for (const partition of this.assignment.restored()) {
      const [next] = partition.queue
      if (next?.again === undefined || partition.isBlocked(this.#now())) continue
      const item = await next.again()
      partition.queue[0] = item
      if (item.action.kind === 'undecided') this.#block(partition, item.action.error)
    }
  }

  async #workOff(batch: Batch, startedAt: number): Promise<void> {
    const result = await this.#member.transaction(batch.records, batch.offsets)
    this.#options.observer.transaction(result.kind, this.#now() - startedAt)
    switch (result.kind) {
      case 'committed':
        this.#committed(batch)
        break
      case 'refused':
        this.#refused(batch, result)
        break
      case 'unavailable':
        this.#unavailable(batch, result)
        break
      case 'fenced':
        // The next poll says which partitions are gone.
        this.#options.log.debug({}, 'a transaction was aborted, since the group has changed')
    }
  }

  #committed({ entries, partitions, offsets }: Batch): void {
    const { acks, topic, onWorkedOff } = this.#options
    for (const { item, partition, isDuplicate } of entries) {
      const { identity, timestamp, decided, offset } = item
      if (identity !== undefined && !isDuplicate) partition.index.insert(identity, timestamp)
      if (decided !== undefined)
        acks.add(
          partition.number,
          offset,
          committedOf(decided.event, { topic, partition: partition.number, offset }),
        )
      onWorkedOff(item, isDuplicate)
    }
    for (const partition of partitions) {
      if (partition.hasFailed) this.#member.resume(partition.number)
      const end = offsets.get(partition.number) as number
      partition.workedOff(entries.filter((entry) => entry.partition === partition).length, end)
      acks.workedOff(partition.number, end)
    }
    this.#limit = Math.min(MOST_EVENTS, this.#limit * 2)
    if (this.#single > 0) this.#single--
  }

  /** Kafka refuses a whole batch for one record, and may name another: the batch is halved until the record is alone. */
  #refused(batch: Batch, result: Extract<TransactionResult, { kind: 'refused' }>): void {
    const [entry] = batch.entries
    if (batch.entries.length > 1 || entry === undefined) {
      this.#limit = Math.max(1, Math.floor(batch.entries.length / 2))
      return
    }
    const { item } = entry
    // Nothing is left to do but to wait until the topic for dead letters takes it.
    if (item.action.kind === 'dead-lettered' || item.decided === undefined) this.#unavailable(batch, result)
    else item.action = this.#options.refused(item.decided, result.error)
  }

  #unavailable({ partitions }: Batch, { error }: { readonly error: Error }): void {
    if (partitions.length > 1) {
      // One of them may be at fault: each has a batch of its own, so that the others go on.
      this.#single = this.assignment.size
      return
    }
    for (const partition of partitions) this.#block(partition, error)
  }

  #block(partition: OwnedPartition, error: Error): void {
    const { code, message } = asHeadgateError(error, 'The inbox')
    const first = !partition.hasFailed
    const pause = partition.block(this.#now(), BACKOFF)
    // Its events must not fill the memory that the others need.
    this.#member.pause(partition.number)
    if (first)
      this.#options.log.warn(
        { code, partition: partition.number, pause },
        `events of a partition of the inbox wait; retrying: ${message}`,
      )
  }

  #take(item: Item): void {
    const partition = this.assignment.find(item.partition)
    if (partition === undefined) return
    const missing = partition.take(item)
    if (missing > 0)
      this.#options.log.error(
        { partition: item.partition, offset: item.offset, events: missing },
        'records of the inbox were deleted before they were worked off; raise retention.ms of the inbox',
      )
  }

  /** The partitions that a batch may be made of. Each is the first in its turn. */
  #turn(): OwnedPartition[] {
    const now = this.#now()
    const ready = this.assignment
      .restored()
      .filter((partition) => partition.queue.length > 0 && !partition.isBlocked(now))
    if (ready.length === 0) return []
    this.#first = (this.#first + 1) % ready.length
    const turn = [...ready.slice(this.#first), ...ready.slice(0, this.#first)]
    return this.#single > 0 ? turn.slice(0, 1) : turn
  }

  /** Records that may be polled: those of the usual size that fit into memory. */
  #room(): number {
    let [events, bytes] = [0, 0]
    for (const { queue, hasFailed } of this.assignment.restored())
      for (const item of hasFailed ? [] : queue) {
        events++
        bytes += item.bytes
      }
    const fitting =
      events === 0 ? MOST_EVENTS : Math.floor(((MOST_BYTES - bytes) * events) / Math.max(1, bytes))
    return Math.max(1, Math.min(MOST_EVENTS - events, fitting))
  }
}

const isPromise = (item: Item | Promise<Item>): item is Promise<Item> => item instanceof Promise
