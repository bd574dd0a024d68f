import type { Committed, Log } from '../contract/index.js'
import { AckQueue } from './ack-queue.js'
import {
  type AckKey,
  type FailureReason,
  LEVELS,
  type PendingAck,
  type StageAfter,
  type StoredAck,
} from './rows.js'
import type { LedgerStore } from './store.js'

interface BacklogOptions {
  readonly store: LedgerStore
  /** The number of post-commit stages. */
  readonly stages: number
  readonly logger: Log
  /** An acknowledgement has come into memory for a stage. */
  onAdded(stage: number): void
}

/**
 * Acknowledgements in memory at once, some 400 bytes each; the rest is spilled to disk. Half of them may have failed before:
 * those that keep failing must not keep new ones out of memory.
 */
const IN_MEMORY = 20_000
const FAILED_IN_MEMORY = IN_MEMORY / 2

/** The pending acknowledgements that can be attempted, by post-commit stage: in memory as far as there is room. */
export class Backlog {
  readonly #store: LedgerStore
  readonly #onAdded: BacklogOptions['onAdded']
  readonly #logger: Log
  /** Acknowledgements that were dropped, because no stage is left to notify, and not logged yet. */
  #orphans = 0
  #queues: AckQueue[]
  /** In flight. They are few, and come and go with each event: an array, unlike a Map, has no tables to outgrow. */
  readonly #taken: StoredAck[] = []
  /** Of those in flight, the stages under the present config, if it is not the one under which they were taken. */
  readonly #restaged = new Map<StoredAck, { readonly stage: number; readonly next: number }>()
  /** In a queue or in flight. */
  #newInMemory = 0
  #failedInMemory = 0
  /** New ones may be on disk. Then others that come are spilled too, so that each has its turn. */
  #newOnDisk: boolean
  /** Refills so far, and the count of them when a new one was last spilled. */
  #refills = 0
  #spilledAt = -1

  constructor({ store, stages, logger, onAdded }: BacklogOptions) {
    this.#store = store
    this.#onAdded = onAdded
    this.#logger = logger
    this.#queues = newQueues(stages)
    this.#newOnDisk = store.pending.count > 0
  }

  /** Adds the acknowledgement of an event; there is nothing to add without post-commit stages. */
  add(committed: Committed, key: AckKey, now: number): void {
    if (this.#queues.length === 0) return
    this.#insert({ key, committed, committedAt: now, stage: 0, attempts: 0, dueAt: now })
  }

  isPending(key: AckKey): boolean {
    return this.#queues.length > 0 && this.#store.pending.has(key)
  }

  /** Queues one that is in the store already. */
  enqueue(ack: StoredAck): void {
    const queue = this.#queues[ack.stage]
    if (queue === undefined) {
      this.#store.pending.settle(ack.key)
      this.#countOrphans(1)
      return
    }
    this.#count(ack, 1)
    queue.push(ack)
    this.#onAdded(ack.stage)
  }

  /** `newOnly`: none that has failed before. */
  take(stage: number, now: number, newOnly: boolean): StoredAck | undefined {
    const ack = this.#queues[stage]?.take(now, newOnly)
    if (ack !== undefined) this.#taken.push(ack)
    return ack
  }

  dueAt(stage: number, newOnly: boolean): number | undefined {
    return this.#queues[stage]?.dueAt(newOnly)
  }

  /** The stage has made one that was taken: it goes on to the next stage, if there is one. */
  acknowledged(pending: PendingAck): void {
    const taken = pending as StoredAck
    const stage = this.#nextStageOf(taken)
    if (stage < this.#queues.length)
      this.#putBack(taken, { stage, attempts: 0, dueAt: this.#store.clock.now() })
    else this.#settle(taken)
  }

  retry(pending: PendingAck, dueAt: number): void {
    const taken = pending as StoredAck
    const stage = this.#stageOf(taken)
    if (stage < this.#queues.length) this.#putBack(taken, { stage, attempts: taken.attempts + 1, dueAt })
    else this.#settle(taken)
  }

  failed(pending: PendingAck, reason: FailureReason): void {
    const taken = pending as StoredAck
    const { failed, clock } = this.#store
    failed.add({ ...taken, stage: this.#stageOf(taken), reason, failedAt: clock.now() })
    this.#settle(taken)
  }

  /** Makes failed acknowledgements pending again, and returns their number. */
  retryFailed(): number {
    const { failed, pending, clock } = this.#store
    const failures = failed.all()
    for (const failure of failures) {
      failed.remove(failure)
      const { reason: _, failedAt: __, ...ack } = failure
      if (pending.has(ack.key) || ack.stage >= this.#queues.length) continue
      const now = clock.now()
      this.#insert({ ...ack, attempts: 0, dueAt: now, committedAt: now })
    }
    return failures.length
  }

  isPartlyOnDisk(): boolean {
    return this.#spilledCount() > 0
  }

  /** Moves everything to the stages of another config. */
  restage(stageCount: number, stageAfter: StageAfter): void {
    const waiting = this.#queues.flatMap((queue) => queue.all())
    this.#queues = newQueues(stageCount)
    for (const ack of waiting) this.#count(ack, -1)
    const dropped = this.#store.pending.restageSpilled(stageAfter)
    if (dropped > 0) this.#countOrphans(dropped)
    for (const ack of this.#taken) {
      const stage = stageAfter(this.#stageOf(ack))
      this.#restaged.set(ack, { stage, next: stageAfter(this.#nextStageOf(ack)) })
      if (stage < stageCount) this.#store.pending.update({ ...ack, stage })
    }
    for (const before of waiting) {
      const ack = { ...before, stage: stageAfter(before.stage) }
      if (ack.stage < stageCount && ack.stage !== before.stage) this.#store.pending.update(ack)
      this.enqueue(ack)
    }
    this.#store.failed.restage(stageAfter)
  }

  /** Loads spilled acknowledgements if there is room. Called at the start, and after each flush but the last. */
  refill(): void {
    this.#refills++
    if (this.#spilledCount() === 0) {
      this.#newOnDisk = false
      return
    }
    const rooms = roomFor(this.#newInMemory, this.#failedInMemory)
    const loaded = rooms.some((room) => room > 0) ? this.#store.pending.loadSpilled(rooms) : undefined
    if (loaded === undefined) return
    // Acknowledgements that were spilled since the flush before the last are not in the table yet.
    const newCount = loaded.filter(({ attempts }) => attempts === 0).length
    if (newCount < (rooms[0] ?? 0) && this.#spilledAt < this.#refills - 1) this.#newOnDisk = false
    for (const ack of loaded) this.enqueue(ack)
  }

  /** Spills all that is in memory. The backlog must not be used afterwards; called before the last flush. */
  spill(): void {
    const { pending } = this.#store
    for (const ack of this.#queues.flatMap((queue) => queue.all())) pending.update({ ...ack, spilled: true })
    for (const ack of this.#taken) {
      const stage = this.#stageOf(ack)
      if (stage < this.#queues.length) pending.update({ ...ack, stage, spilled: true })
    }
  }

  #insert({ key, committed, committedAt, stage, attempts, dueAt }: Omit<StoredAck, 'spilled'>): void {
    const spilled = this.#mustSpill(attempts)
    const ack = { key, committed, committedAt, stage, attempts, dueAt, spilled }
    this.#store.pending.add(ack)
    if (!spilled) this.enqueue(ack)
  }

  #putBack(taken: StoredAck, change: Pick<StoredAck, 'stage' | 'attempts' | 'dueAt'>): void {
    this.#release(taken)
    const ack = { ...taken, ...change, spilled: this.#mustSpill(change.attempts) }
    this.#store.pending.update(ack)
    if (!ack.spilled) this.enqueue(ack)
  }

  #settle(taken: StoredAck): void {
    this.#release(taken)
    this.#store.pending.settle(taken.key)
  }

  /** The stage that retries one that was taken. */
  #stageOf(taken: StoredAck): number {
    return this.#restaged.get(taken)?.stage ?? taken.stage
  }

  /** The stage that follows once that one has acknowledged. */
  #nextStageOf(taken: StoredAck): number {
    return this.#restaged.get(taken)?.next ?? taken.stage + 1
  }

  #countOrphans(count: number): void {
    this.#orphans += count
    setImmediate(() => this.#logOrphans())
  }

  #logOrphans(): void {
    if (this.#orphans === 0) return
    this.#logger.warn(
      { count: this.#orphans },
      'acknowledgements are dropped: they were pending for post-commit stages that no longer exist',
    )
    this.#orphans = 0
  }

  #spilledCount(): number {
    return this.#store.pending.count - this.#newInMemory - this.#failedInMemory
  }

  #mustSpill(attempts: number): boolean {
    if (attempts > 0) return this.#failedInMemory >= FAILED_IN_MEMORY
    this.#newOnDisk &&= this.#spilledCount() > 0
    if (!this.#newOnDisk && this.#newInMemory + this.#failedInMemory < IN_MEMORY) return false
    this.#newOnDisk = true
    this.#spilledAt = this.#refills
    return true
  }

  #release(ack: StoredAck): void {
    const last = this.#taken.pop() as StoredAck
    if (last !== ack) this.#taken[this.#taken.indexOf(ack)] = last
    this.#restaged.delete(ack)
    this.#count(ack, -1)
  }

  #count({ attempts }: StoredAck, by: 1 | -1): void {
    if (attempts === 0) this.#newInMemory += by
    else this.#failedInMemory += by
  }
}

const newQueues = (stages: number) => Array.from({ length: stages }, () => new AckQueue())

/** How many of each level are loaded into memory: none as long as half of the share of its kind is there. */
function roomFor(newCount: number, failed: number): readonly number[] {
  const share = IN_MEMORY - FAILED_IN_MEMORY
  const room = (present: number, all: number): number => (present > all / 2 ? 0 : all - present)
  const roomForFailed = Math.floor(room(failed, FAILED_IN_MEMORY) / (LEVELS - 1))
  return Array.from({ length: LEVELS }, (_, level) => (level === 0 ? room(newCount, share) : roomForFailed))
}
