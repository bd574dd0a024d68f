import type { Committed } from '../contract/index.js'
import type { StoredAck } from '../ledger/rows.js'

/** The pending acknowledgements of a partition that this instance owns. */
export class PartitionAcks {
  /** Those in memory, by offset, lowest first. */
  readonly pending = new Map<number, StoredAck>()
  /** Everything below is worked off. */
  end: number
  /** From here to `end`, they are in the inbox only; undefined if there are none. They come behind all that are in memory. */
  unread: number | undefined

  constructor(end: number, unread?: number) {
    this.end = end
    this.unread = unread
  }

  /** Everything below is acknowledged. */
  get position(): number {
    return this.pending.keys().next().value ?? this.unread ?? this.end
  }

  /** At most so many. */
  get unreadCount(): number {
    return this.unread === undefined ? 0 : this.end - this.unread
  }

  /** Of all of them, when their events were worked off, and how many were. Of unread ones, about. */
  *committedTimes(now: number): Generator<readonly [committedAt: number, count: number]> {
    let last = now
    for (const { committedAt } of this.pending.values()) {
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
