import type { Committed, InboxOffsets, Position } from '../contract/index.js'
import { AckQueue } from '../ledger/ack-queue.js'
import type { LedgerClock } from '../ledger/clock.js'
import type { AckSource } from '../ledger/ledger.js'
import type { FailureReason, PendingAck, StageAfter, StoredAck } from '../ledger/rows.js'
import type { KeptAck } from './failed-ack-store.js'
import { OpenFailures } from './open-failures.js'
import { PartitionAcks, type ReadAck, type UnreadAcks } from './partition-acks.js'

export interface InboxAcksOptions {
  /** The number of post-commit stages. */
  readonly stages: number
  readonly clock: Pick<LedgerClock, 'now' | 'at'>
  /** As `FailedAckStore.keep`. If it rejects, the acknowledgement is attempted again. */
  keep(failed: StoredAck, reason: FailureReason): Promise<Position>
  /** Of those that a takeover finds, so many are in memory at most; the others are read from the inbox when there is room. */
  readonly mostInMemory?: number
}

/** About half a KiB each. */
const MOST_IN_MEMORY = 50_000
/** Read from the inbox at a time. */
const PART = 5000

/** The number under which retried acknowledgements are pending: no position waits for them. */
const RETRIED = -1

/** Milliseconds until an acknowledgement is attempted again that failed for good and could not be kept. */
const KEEP_AGAIN = 10_000

/**
 * The pending acknowledgements of the partitions that this instance owns. They are nowhere on disk: the inbox has the events,
 * and its second group the position, so that the next owner of a partition finds them again, and reads them a part at a time.
 * The key of an acknowledgement is the partition and the offset of its event in the inbox.
 */
export class InboxAcks implements AckSource {
  readonly failures = new OpenFailures()
  readonly #options: InboxAcksOptions
  readonly #partitions = new Map<number, PartitionAcks>()
  readonly #most: number
  readonly #wakers: (() => void)[] = []
  #stages: number
  #queues: AckQueue[]
  /** Of those in flight, the stages under the present config, if it is not the one under which they were taken. */
  #restaged = new WeakMap<StoredAck, { readonly stage: number; readonly next: number }>()
  /** In memory. */
  #count = 0

  constructor(options: InboxAcksOptions) {
    this.#options = options
    this.#most = options.mostInMemory ?? MOST_IN_MEMORY
    this.#stages = options.stages
    this.#queues = newQueues(options.stages)
  }

  /** The number of pending acknowledgements. */
  get count(): number {
    let count = this.#count
    for (const { unreadCount } of this.#partitions.values()) count += unreadCount
    return count
  }

  /** Of all pending acknowledgements, when their events were worked off, and how many were. Of unread ones, about. */
  *committedTimes(): Generator<readonly [committedAt: number, count: number]> {
    for (const owned of this.#partitions.values()) yield* owned.committedTimes(this.now())
  }

  /** When the oldest pending event was worked off; undefined if there is none. */
  get oldestAt(): number | undefined {
    let oldest: number | undefined
    for (const { pending } of this.#partitions.values()) {
      const first = pending.values().next().value
      if (first !== undefined && (oldest === undefined || first.committedAt < oldest))
        oldest = first.committedAt
    }
    return oldest
  }

  /** Below `position`, everything is acknowledged, and below `end`, everything is worked off. */
  own(partition: number, position: number, end: number): void {
    this.#partitions.set(partition, new PartitionAcks(end, this.#stages > 0 ? position : end))
  }

  /** Another instance makes the acknowledgements of this partition. */
  disown(partition: number): void {
    this.#count -= this.#partitions.get(partition)?.pending.size ?? 0
    this.#partitions.delete(partition)
  }

  /** The event at this offset is worked off. */
  add(partition: number, offset: number, committed: Committed): void {
    const owned = this.#partitions.get(partition)
    if (owned === undefined) return
    owned.end = offset + 1
    if (this.#stages > 0) this.#enqueue(owned, this.#create(partition, offset, committed, this.now()))
  }

  /** The part that is to be read next; undefined if there is none, or no room for it. */
  unread(): UnreadAcks | undefined {
    const room = Math.min(PART, this.#most - this.#count)
    if (room < Math.min(PART, this.#most / 2)) return undefined
    let next: UnreadAcks | undefined
    let fewest = Number.POSITIVE_INFINITY
    for (const [partition, owned] of this.#partitions) {
      const { pending, unread, unreadCount } = owned
      // The partition with the fewest in memory first: those of another may fail for long.
      if (unreadCount === 0 || pending.size >= fewest) continue
      fewest = pending.size
      const { from, to } = unread
      next = { partition, from, to: Math.min(to, from + room), owned }
    }
    return next
  }

  /** The events of this part. Of no effect if the partition was revoked meanwhile. */
  read({ partition, from, to, owned }: UnreadAcks, read: readonly ReadAck[]): void {
    if (this.#partitions.get(partition) !== owned || owned.unread.from !== from) return
    const { clock } = this.#options
    const acks = read.map(({ offset, committed, acceptedAt }) =>
      this.#create(partition, offset, committed, clock.at(acceptedAt)),
    )
    owned.insert(to, acks)
    for (const ack of acks) this.#enqueue(owned, ack)
  }

  /** Everything below this offset is worked off, whether it waits for an acknowledgement or not. */
  workedOff(partition: number, end: number): void {
    const owned = this.#partitions.get(partition)
    if (owned !== undefined) owned.end = Math.max(owned.end, end)
  }

  /** For each owned partition, or for one, the offset below which everything is acknowledged. */
  positions(only?: number): InboxOffsets {
    const positions = new Map<number, number>()
    for (const [partition, { position }] of this.#partitions)
      if (partition !== RETRIED && (only === undefined || only === partition))
        positions.set(partition, position)
    return positions
  }

  /** For each owned partition, the offset below which everything is worked off. */
  ends(): InboxOffsets {
    return new Map([...this.#partitions].map(([partition, { end }]) => [partition, end]))
  }

  now(): number {
    return this.#options.clock.now()
  }

  take(stage: number, now: number, newOnly = false): PendingAck | undefined {
    for (;;) {
      const ack = this.#queues[stage]?.take(now, newOnly)
      if (ack === undefined || this.#isPending(ack)) return ack
    }
  }

  dueAt(stage: number, newOnly = false): number | undefined {
    return this.#queues[stage]?.dueAt(newOnly)
  }

  acknowledged(pending: PendingAck): void {
    const ack = pending as StoredAck
    const stage = this.#restaged.get(ack)?.next ?? ack.stage + 1
    if (stage < this.#stages) this.#change(ack, { stage, attempts: 0, dueAt: this.now() })
    else this.#made(ack)
  }

  retry(pending: PendingAck, dueAt: number): void {
    const ack = pending as StoredAck
    const stage = this.#restaged.get(ack)?.stage ?? ack.stage
    if (stage < this.#stages) this.#change(ack, { stage, attempts: ack.attempts + 1, dueAt })
    else this.#made(ack)
  }

  failed(pending: PendingAck, reason: FailureReason): void {
    const ack = pending as StoredAck
    if (!this.#isPending(ack)) return
    if (ack.key[0] === RETRIED) {
      // It is kept, and stays open.
      this.#settle(ack)
      this.failures.failedAgain(ack.key[1])
      return
    }
    this.#options.keep(ack, reason).then(
      (position) => {
        this.failures.keep(position)
        this.#settle(ack)
      },
      () => this.retry(ack, this.now() + KEEP_AGAIN),
    )
  }

  /** Makes kept acknowledgements pending again, and returns how many of them are pending now. */
  retryKept(kept: readonly KeptAck[]): number {
    const owned = this.#partitions.get(RETRIED) ?? new PartitionAcks(0)
    this.#partitions.set(RETRIED, owned)
    for (const [number, { committed, stage }] of this.failures.retry(kept.filter(hasStage))) {
      const key = [RETRIED, number] as const
      const now = this.now()
      this.#count++
      this.#enqueue(owned, {
        key,
        committed,
        committedAt: now,
        stage,
        attempts: 0,
        dueAt: now,
        spilled: false,
      })
    }
    return this.failures.retried
  }

  /** Those that are not in memory are left to the next owner. */
  async refill(): Promise<void> {}

  onAdded(stage: number, wake: () => void): void {
    this.#wakers[stage] = wake
  }

  /** Moves everything to the stages of another config. */
  restage(stages: number, stageAfter: StageAfter): void {
    const waiting = new Set(this.#queues.flatMap((queue) => queue.all()))
    this.#stages = stages
    this.#queues = newQueues(stages)
    if (stages === 0) for (const owned of this.#partitions.values()) owned.forgetUnread()
    for (const { pending } of [...this.#partitions.values()])
      for (const ack of [...pending.values()]) {
        const stage = stageAfter(this.#restaged.get(ack)?.stage ?? ack.stage)
        const next = stageAfter(this.#restaged.get(ack)?.next ?? ack.stage + 1)
        if (!waiting.has(ack)) this.#restaged.set(ack, { stage, next })
        else if (stage < stages) this.#change(ack, { ...ack, stage })
        else this.#made(ack)
      }
  }

  #create(partition: number, offset: number, committed: Committed, committedAt: number): StoredAck {
    this.#count++
    const key = [partition, offset] as const
    return { key, committed, committedAt, stage: 0, attempts: 0, dueAt: committedAt, spilled: false }
  }

  #change(ack: StoredAck, change: Pick<StoredAck, 'stage' | 'attempts' | 'dueAt'>): void {
    const owned = this.#ownerOf(ack)
    if (owned !== undefined) this.#enqueue(owned, { ...ack, ...change })
  }

  /** An entry that is replaced keeps its place in the map, so that the lowest offset stays first. */
  #enqueue(owned: PartitionAcks, ack: StoredAck): void {
    owned.set(ack)
    this.#queues[ack.stage]?.push(ack)
    this.#wakers[ack.stage]?.()
  }

  #settle(ack: StoredAck): void {
    if (this.#ownerOf(ack)?.delete(ack.key[1])) this.#count--
  }

  /** All its stages have acknowledged it, or are gone. */
  #made(ack: StoredAck): void {
    if (!this.#isPending(ack)) return
    this.#settle(ack)
    const [partition, number] = ack.key
    if (partition === RETRIED) this.failures.made(number)
  }

  /** Undefined if the partition was revoked since: the acknowledgement is then that of another instance. */
  #ownerOf(ack: StoredAck): PartitionAcks | undefined {
    const [partition, offset] = ack.key
    const owned = this.#partitions.get(partition)
    return owned?.pending.get(offset) === ack ? owned : undefined
  }

  #isPending(ack: StoredAck): boolean {
    return this.#ownerOf(ack) !== undefined
  }
}

const hasStage = (kept: KeptAck): kept is KeptAck & { readonly stage: number } => kept.stage !== undefined

const newQueues = (stages: number) => Array.from({ length: stages }, () => new AckQueue())
