import { type Backoff, backoffDelay } from '../lib/async.js'
import type { Item } from './item.js'
import type { PartitionIndex } from './partition-index.js'

/** A partition that this instance works off. */
export class OwnedPartition {
  readonly number: number
  readonly index: PartitionIndex
  /** Polled and not worked off, in the order of the offsets. */
  readonly queue: Item[] = []
  /** The offset of the next record that `take` expects. */
  #next: number
  /** Everything below is worked off. */
  #done: number
  /** When the record at `#done` was accepted, as a restore found it; of no use once something is polled. */
  #foundAt: number | undefined
  #failures = 0
  #blockedUntil = Number.NEGATIVE_INFINITY

  constructor(number: number, index: PartitionIndex, next: number, nextAt: number | undefined) {
    this.number = number
    this.index = index
    this.#next = next
    this.#done = next
    this.#foundAt = nextAt
  }

  get done(): number {
    return this.#done
  }

  /** When its next event was accepted; undefined as long as none is known. */
  get nextAt(): number | undefined {
    return this.queue[0]?.timestamp ?? this.#foundAt
  }

  /** Returns how many records are missing before this one: they were deleted before they were worked off. */
  take(item: Item): number {
    // A consumer whose offset its broker does not have begins again at the start of the partition.
    if (item.offset < this.#next) return 0
    const missing = item.offset - this.#next
    this.#next = item.offset + 1
    this.queue.push(item)
    return missing
  }

  /** Its next event cannot be worked off now. Returns the milliseconds until it is tried again. */
  block(now: number, backoff: Backoff): number {
    const delay = backoffDelay(backoff, this.#failures++)
    this.#blockedUntil = now + delay
    return delay
  }

  /** The first `count` events of the queue are worked off, and with them everything below `end`. */
  workedOff(count: number, end: number): void {
    this.queue.splice(0, count)
    this.#done = end
    this.#foundAt = undefined
    this.#failures = 0
  }

  isBlocked(now: number): boolean {
    return now < this.#blockedUntil
  }

  get hasFailed(): boolean {
    return this.#failures > 0
  }
}
