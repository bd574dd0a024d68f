import type { Committed } from '../contract/index.js'
import type { StoredAck } from '../ledger/rows.js'

/** The pending acknowledgements of a partition that this instance owns. */
export class PartitionAcks {
  /** Everything below is worked off. */
  end: number
  /** Those in memory, by offset, lowest first. */
  #pending = new Map<number, StoredAck>()
  /** Those that a takeover found and that are in the inbox only. It only shrinks: those that come later are in memory. */
  #unread: { readonly from: number; readonly to: number }

  constructor(end: number, position = end) {
    this.end = end
    this.#unread = { from: position, to: end }
  }

  get pending(): ReadonlyMap<number, StoredAck> {
    return this.#pending
  }

  get unread(): { readonly from: number; readonly to: number } {
    return this.#unread
  }

  /** Everything below is acknowledged. */
  get position(): number {
    const { value: first = this.end } = this.#pending.keys().next()
    return this.unreadCount > 0 ? Math.min(first, this.#unread.from) : first
  }

  /** At most so many. */
  get unreadCount(): number {
    return this.#unread.to - this.#unread.from
  }

  /** One that replaces another keeps its place, so that the lowest offset stays first. */
  set(ack: StoredAck): void {
    this.#pending.set(ack.key[1], ack)
  }

  delete(offset: number): boolean {
    return this.#pending.delete(offset)
  }

  /** The first of the unread ones, up to `to`: they belong before those that came since. */
  insert(to: number, acks: readonly StoredAck[]): void {
    const { from } = this.#unread
    const all = [...this.#pending]
    const behind = all.findIndex(([offset]) => offset >= from)
    const at = behind === -1 ? all.length : behind
    const read = acks.map((ack) => [ack.key[1], ack] as const)
    this.#pending = new Map([...all.slice(0, at), ...read, ...all.slice(at)])
    this.#unread = { from: to, to: this.#unread.to }
  }

  /** Nothing waits for those that are unread. */
  forgetUnread(): void {
    this.#unread = { from: this.#unread.to, to: this.#unread.to }
  }

  /** Of all of them, when their events were worked off, and how many were. Of unread ones, about. */
  *committedTimes(now: number): Generator<readonly [committedAt: number, count: number]> {
    let last = now
    for (const { committedAt } of this.#pending.values()) {
      last = committedAt
      yield [committedAt, 1]
    }
    yield [last, this.unreadCount]
  }
}

/** A part of a partition whose acknowledgements are pending and not in memory. */
export interface UnreadAcks {
  readonly partition: number
  readonly from: number
  readonly to: number
  /** The assignment of the partition for which they are read. */
  readonly owned: PartitionAcks
}

/** An event that is worked off and not acknowledged. `acceptedAt`: by a wall clock. */
export interface ReadAck {
  readonly offset: number
  readonly committed: Committed
  readonly acceptedAt: number
}
