import type { AckKey } from './rows.js'
import type { LedgerStore } from './store.js'

/** The offsets up to which Kafka has reported records, by partition number, until they become checkpoints. */
export class ReportedOffsets {
  readonly #store: LedgerStore
  readonly #reported = new Map<number, number>()
  /** The offset that was reported when the log was last read to its end, or when checkpoints were last moved. */
  readonly #lowest = new Map<number, number>()
  #epoch = 0

  constructor(store: LedgerStore) {
    this.#store = store
  }

  /** How often the log has been read to its end. */
  get epoch(): number {
    return this.#epoch
  }

  report([number, offset]: AckKey): void {
    this.#reported.set(number, offset + 1)
  }

  /** A record that was sent in `epoch` has an offset below earlier ones: the log of its partition was replaced. */
  isImpossible([number, offset]: AckKey, epoch: number): boolean {
    return epoch === this.#epoch && offset < (this.#lowest.get(number) ?? 0)
  }

  /** Makes them the checkpoints. Only while the fate of all records is known. */
  advance(): void {
    for (const [number, offset] of this.#reported) {
      this.#store.advance([number, offset])
      this.#lowest.set(number, offset)
    }
    this.#reported.clear()
  }

  /** Shows them to a check of the log as checkpoints, and keeps them reported. */
  advanceForCheck(): void {
    for (const [number, offset] of this.#reported) this.#store.advance([number, offset])
  }

  /** The log was read to its end: the checkpoints are there. */
  startEpoch(): void {
    this.#epoch++
    this.#reported.clear()
    this.#lowest.clear()
    for (const { topic, partition } of this.#store.acknowledgedUpTo()) {
      const [number] = this.#store.keyOf({ topic, partition, offset: 0 })
      this.#lowest.set(number, this.#store.checkpoint(topic, partition) ?? 0)
    }
  }
}
