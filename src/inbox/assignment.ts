import { asHeadgateError } from '../contract/errors.js'
import type { InboxMember, InboxOffsets, Log, LoggedRecord } from '../contract/index.js'
import type { DedupBy } from '../ledger/identity.js'
import { type Backoff, backoffDelay, sleep, untilAborted } from '../lib/async.js'
import type { InboxAcks } from './inbox-acks.js'
import type { PastEvent } from './item.js'
import { OwnedPartition } from './owned-partition.js'
import type { UnreadAcks } from './partition-acks.js'
import type { IndexLimits } from './partition-index.js'
import { type RestoreOptions, readUnacknowledged, restorePartition } from './restore.js'

export interface AssignmentOptions {
  readonly member: Pick<
    InboxMember,
    'partitions' | 'bounds' | 'end' | 'ends' | 'offsetAt' | 'read' | 'resume' | 'pause' | 'acknowledged'
  >
  readonly acks: InboxAcks
  terms(): { readonly limits: IndexLimits; readonly by: DedupBy }
  past(record: LoggedRecord): PastEvent | undefined
  readonly earlier?: RestoreOptions['earlier']
  readonly log: Log
}

/** Milliseconds between attempts to read a partition back. */
const BACKOFF: Backoff = { initial: 200, max: 5000 }
/** Milliseconds that a revoked partition waits for the commit of its acknowledged position. Without it, acknowledgements repeat. */
const HAND_OVER = 1000

interface Entry {
  /** Aborted when the partition is revoked. If it comes back, it is another entry. */
  readonly revoked: AbortController
  readonly restored: Promise<void>
  /** Undefined while it is being restored. */
  partition: OwnedPartition | undefined
}

/** The partitions of the inbox that this instance owns. */
export class Assignment {
  readonly #options: AssignmentOptions
  readonly #entries = new Map<number, Entry>()
  /** By a wall clock, as the times of events are. */
  #pausedAt: number | undefined
  /** Of partitions that waited when they were measured. */
  #ends: InboxOffsets = new Map()
  #isReading = false
  #failedReads = 0
  #readAgainAt = 0

  constructor(options: AssignmentOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  /** How many of them are being restored. */
  get restoring(): number {
    return [...this.#entries.values()].filter(({ partition }) => partition === undefined).length
  }

  find(number: number): OwnedPartition | undefined {
    return this.#entries.get(number)?.partition
  }

  restored(): OwnedPartition[] {
    return [...this.#entries.values()].flatMap(({ partition }) => partition ?? [])
  }

  /** Redeliveries are recognised of events that were accepted since then, in every partition; undefined if there are none. */
  get since(): number | undefined {
    const times = this.restored().flatMap(({ index }) => index.since ?? [])
    return times.length === 0 ? undefined : Math.max(...times)
  }

  /** Records that are not worked off. */
  get lag(): number {
    return this.restored().reduce((all, partition) => all + this.#lagOf(partition), 0)
  }

  /** When the oldest of them was accepted; undefined if there is none. */
  get oldestAt(): number | undefined {
    const times = this.restored().flatMap(
      // A pause begins when everything that was polled is in a queue: others have come since.
      (partition) => partition.nextAt ?? (this.#lagOf(partition) > 0 ? (this.#pausedAt ?? []) : []),
    )
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** A client hears of new records only in partitions that it polls: asks for those that wait. Rejects as `ends` does. */
  async measure(): Promise<void> {
    const waiting = this.restored().filter(({ hasFailed }) => hasFailed || this.#pausedAt !== undefined)
    if (waiting.length > 0) this.#ends = await this.#options.member.ends(waiting.map(({ number }) => number))
  }

  /** Resolves when no restore is under way any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ restored }) => restored))
  }

  /** Restores a partition; then its events are polled. */
  own(number: number): void {
    const revoked = new AbortController()
    this.#entries.set(number, {
      revoked,
      restored: this.#restore(number, revoked.signal),
      partition: undefined,
    })
  }

  /** Another instance owns it. Resolves when its acknowledged position is committed, or cannot be now. */
  async forget(number: number): Promise<void> {
    const { acks, member } = this.#options
    this.#entries.get(number)?.revoked.abort()
    this.#entries.delete(number)
    const position = acks.positions(number)
    acks.disown(number)
    if (position.size === 0) return
    await untilAborted(
      member.acknowledged(position).catch(() => {}),
      AbortSignal.timeout(HAND_OVER),
    )
  }

  /** While it is paused, nothing is polled. */
  pause(isPaused: boolean): void {
    if (isPaused === (this.#pausedAt !== undefined)) return
    this.#pausedAt = isPaused ? Date.now() : undefined
    for (const { number } of this.restored()) {
      if (isPaused) this.#options.member.pause(number)
      else this.#options.member.resume(number)
    }
  }

  /** Begins to read pending acknowledgements for which there is room now, unless that is under way. */
  readAcks(): void {
    if (this.#isReading || performance.now() < this.#readAgainAt) return
    const part = this.#options.acks.unread()
    if (part !== undefined) void this.#readPart(part)
  }

  async #readPart(part: UnreadAcks): Promise<void> {
    const { acks, member, past, log } = this.#options
    this.#isReading = true
    try {
      acks.read(part, await readUnacknowledged(member, part, past))
      this.#failedReads = 0
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'The inbox')
      const text = `pending acknowledgements cannot be read from the inbox; retrying: ${message}`
      if (this.#failedReads === 0) log.warn({ code, partition: part.partition }, text)
      this.#readAgainAt = performance.now() + backoffDelay(BACKOFF, this.#failedReads++)
    } finally {
      this.#isReading = false
    }
  }

  /** Retries until it succeeds or the partition is revoked. */
  async #restore(number: number, revoked: AbortSignal): Promise<void> {
    for (let retries = 0; !revoked.aborted; retries++) {
      try {
        await this.#tryRestore(number, revoked)
        return
      } catch (thrown) {
        if (revoked.aborted) return
        const { code, message } = asHeadgateError(thrown, 'The inbox')
        const text = `a partition of the inbox cannot be read back; retrying: ${message}`
        if (retries === 0) this.#options.log.warn({ code, partition: number }, text)
        await sleep(backoffDelay(BACKOFF, retries), revoked, false)
      }
    }
  }

  async #tryRestore(number: number, revoked: AbortSignal): Promise<void> {
    const { acks, member, terms, past, earlier } = this.#options
    const restored = await restorePartition(member, number, { ...terms(), past, earlier })
    const { index, next, nextAt, acknowledged } = restored
    const entry = this.#entries.get(number)
    if (revoked.aborted || entry === undefined) return
    acks.own(number, acknowledged, next)
    entry.partition = new OwnedPartition(number, index, next, nextAt)
    if (this.#pausedAt === undefined) member.resume(number)
  }

  #lagOf({ number, done }: OwnedPartition): number {
    const end = Math.max(this.#options.member.end(number) ?? 0, this.#ends.get(number) ?? 0)
    return Math.max(0, end - done)
  }
}
