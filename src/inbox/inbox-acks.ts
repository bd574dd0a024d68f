import type { Committed, InboxOffsets } from '../contract/index.js'
import { AckQueue } from '../ledger/ack-queue.js'
import type { LedgerClock } from '../ledger/clock.js'
import type { AckSource } from '../ledger/ledger.js'
import type { FailedAck, FailureReason, PendingAck, StageAfter, StoredAck } from '../ledger/rows.js'

export interface InboxAcksOptions {
  /** The number of post-commit stages. */
  readonly stages: number
  readonly clock: Pick<LedgerClock, 'now' | 'at'>
  /** Keeps an acknowledgement that failed for good where every instance finds it. If it rejects, it is attempted again. */
  keepFailed(failed: StoredAck, reason: FailureReason): Promise<void>
}

/** Failed acknowledgements in memory, to be listed and retried; the topic for dead letters has them all. */
const MOST_FAILED = 10_000
/** The number under which retried acknowledgements are pending: no position waits for them. */
const RETRIED = -1

/** Milliseconds until an acknowledgement is attempted again that failed for good and could not be kept. */
const KEEP_AGAIN = 10_000

interface PartitionAcks {
  /** By offset, lowest first. */
  readonly pending: Map<number, StoredAck>
  /** Everything below is worked off. */
  end: number
}

/**
 * The pending acknowledgements of the partitions that this instance owns. They are in memory only: the inbox has the events,
 * and its second group the position, so that the next owner of a partition finds them again. The key of an acknowledgement is
 * the partition and the offset of its event in the inbox.
 */
export class InboxAcks implements AckSource {
  readonly #options: InboxAcksOptions
  readonly #partitions = new Map<number, PartitionAcks>()
  readonly #wakers: (() => void)[] = []
  #stages: number
  #queues: AckQueue[]
  /** Of those in flight, the stages under the present config, if it is not the one under which they were taken. */
  #restaged = new WeakMap<StoredAck, { readonly stage: number; readonly next: number }>()
  #count = 0
  #failures: FailedAck[] = []
  #retried = 0

  constructor(options: InboxAcksOptions) {
    this.#options = options
    this.#stages = options.stages
    this.#queues = newQueues(options.stages)
  }

  /** The number of pending acknowledgements. */
  get count(): number {
    return this.#count
  }

  /** Acknowledgements that failed for good since the start, and were not retried; the oldest first. */
  get failures(): readonly FailedAck[] {
    return this.#failures
  }

  /** Of all pending acknowledgements, when their events were worked off. */
  *committedTimes(): Generator<number> {
    for (const { pending } of this.#partitions.values())
      for (const { committedAt } of pending.values()) yield committedAt
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

  /** `position`: below it, everything is acknowledged. */
  own(partition: number, position: number): void {
    this.#partitions.set(partition, { pending: new Map(), end: position })
  }

  /** Another instance makes the acknowledgements of this partition. */
  disown(partition: number): void {
    this.#count -= this.#partitions.get(partition)?.pending.size ?? 0
    this.#partitions.delete(partition)
  }

  /** The event at this offset is worked off. `acceptedAt`, for one that was so before: by a wall clock. */
  add(partition: number, offset: number, committed: Committed, acceptedAt?: number): void {
    const owned = this.#partitions.get(partition)
    if (owned === undefined) return
    owned.end = offset + 1
    if (this.#stages === 0) return
    const { clock } = this.#options
    const committedAt = acceptedAt === undefined ? clock.now() : clock.at(acceptedAt)
    const ack: StoredAck = {
      key: [partition, offset],
      committed,
      committedAt,
      stage: 0,
      attempts: 0,
      dueAt: committedAt,
      spilled: false,
    }
    this.#count++
    this.#enqueue(owned, ack)
  }

  /** Everything below this offset is worked off, whether it waits for an acknowledgement or not. */
  workedOff(partition: number, end: number): void {
    const owned = this.#partitions.get(partition)
    if (owned !== undefined) owned.end = Math.max(owned.end, end)
  }

  /** For each owned partition, or for one, the offset below which everything is acknowledged. */
  positions(only?: number): InboxOffsets {
    const positions = new Map<number, number>()
    for (const [partition, { pending, end }] of this.#partitions)
      if (partition !== RETRIED && (only === undefined || only === partition))
        positions.set(partition, pending.keys().next().value ?? end)
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
    else this.#settle(ack)
  }

  retry(pending: PendingAck, dueAt: number): void {
    const ack = pending as StoredAck
    const stage = this.#restaged.get(ack)?.stage ?? ack.stage
    if (stage < this.#stages) this.#change(ack, { stage, attempts: ack.attempts + 1, dueAt })
    else this.#settle(ack)
  }

  failed(pending: PendingAck, reason: FailureReason): void {
    const ack = pending as StoredAck
    if (!this.#isPending(ack)) return
    this.#options.keepFailed(ack, reason).then(
      () => {
        this.#failures.push({ ...ack, reason, failedAt: this.now() })
        if (this.#failures.length > MOST_FAILED) this.#failures.shift()
        this.#settle(ack)
      },
      () => this.retry(ack, this.now() + KEEP_AGAIN),
    )
  }

  /** Makes failed acknowledgements pending again, and returns their number. */
  retryFailed(): number {
    const failures = this.#failures.filter(({ stage }) => stage < this.#stages)
    this.#failures = []
    const retried = this.#partitions.get(RETRIED) ?? { pending: new Map(), end: 0 }
    this.#partitions.set(RETRIED, retried)
    for (const { reason: _, failedAt: __, ...ack } of failures) {
      const now = this.now()
      this.#count++
      const key = [RETRIED, this.#retried++] as const
      this.#enqueue(retried, { ...ack, key, attempts: 0, dueAt: now, committedAt: now })
    }
    return failures.length
  }

  /** Everything is in memory. */
  async refill(): Promise<void> {}

  onAdded(stage: number, wake: () => void): void {
    this.#wakers[stage] = wake
  }

  /** Moves everything to the stages of another config. */
  restage(stages: number, stageAfter: StageAfter): void {
    const waiting = new Set(this.#queues.flatMap((queue) => queue.all()))
    this.#stages = stages
    this.#queues = newQueues(stages)
    for (const { pending } of [...this.#partitions.values()])
      for (const ack of [...pending.values()]) {
        const stage = stageAfter(this.#restaged.get(ack)?.stage ?? ack.stage)
        const next = stageAfter(this.#restaged.get(ack)?.next ?? ack.stage + 1)
        if (!waiting.has(ack)) this.#restaged.set(ack, { stage, next })
        else if (stage < stages) this.#change(ack, { ...ack, stage })
        else this.#settle(ack)
      }
  }

  #change(ack: StoredAck, change: Pick<StoredAck, 'stage' | 'attempts' | 'dueAt'>): void {
    const owned = this.#ownerOf(ack)
    if (owned !== undefined) this.#enqueue(owned, { ...ack, ...change })
  }

  /** An entry that is replaced keeps its place in the map, so that the lowest offset stays first. */
  #enqueue(owned: PartitionAcks, ack: StoredAck): void {
    owned.pending.set(ack.key[1], ack)
    this.#queues[ack.stage]?.push(ack)
    this.#wakers[ack.stage]?.()
  }

  #settle(ack: StoredAck): void {
    if (this.#ownerOf(ack)?.pending.delete(ack.key[1])) this.#count--
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

const newQueues = (stages: number) => Array.from({ length: stages }, () => new AckQueue())
