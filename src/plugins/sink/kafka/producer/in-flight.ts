import type { HeadgateError } from '../../../../contract/errors.js'
import type { Receipt, Target } from '../../../../contract/index.js'
import { inDoubt } from '../failures.js'

export interface Sent {
  readonly target: Target
  resolve(receipt: Receipt): void
  reject(error: HeadgateError): void
}

/** Opaques are small integers: these cross into C++ and back without an allocation. */
const OPAQUES = 2 ** 30

/** The records of one session that Kafka has not reported on yet, by their opaque. */
export class RecordsInFlight<Record extends Sent = Sent> {
  readonly #records = new Map<number, Record>()
  #next = 0
  #progressAt = 0
  #onDrained = (): void => {}

  get count(): number {
    return this.#records.size
  }

  /** An opaque that no record in flight has. */
  nextOpaque(): number {
    const opaque = this.#next
    this.#next = (opaque + 1) % OPAQUES
    return opaque
  }

  add(opaque: number, record: Record): void {
    if (this.#records.size === 0) this.#progressAt = performance.now()
    this.#records.set(opaque, record)
  }

  /** Removes and returns the record of a report; undefined if it was given up before. */
  settle(opaque: number): Record | undefined {
    const record = this.#records.get(opaque)
    if (record === undefined) return undefined
    this.#records.delete(opaque)
    this.#progressAt = performance.now()
    if (this.#records.size === 0) this.#onDrained()
    return record
  }

  find(opaque: number): Record | undefined {
    return this.#records.get(opaque)
  }

  all(): Iterable<Record> {
    return this.#records.values()
  }

  /** Milliseconds since the last report, while any record is in flight. */
  stalledFor(): number {
    return this.#records.size === 0 ? 0 : performance.now() - this.#progressAt
  }

  /** Rejects all of them: Kafka may have them or not. */
  giveUp(code: 'HG_KAFKA_FATAL' | 'HG_KAFKA_NOT_DELIVERED', why: string): void {
    for (const { target, reject } of this.#records.values()) reject(inDoubt(code, target, why))
    this.#records.clear()
    this.#onDrained()
  }

  /** Resolves when there are none, or when `signal` is aborted. */
  drained(signal: AbortSignal): Promise<void> {
    if (this.#records.size === 0 || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onDrained = () => {
        signal.removeEventListener('abort', this.#onDrained)
        resolve()
      }
      signal.addEventListener('abort', this.#onDrained)
    })
  }
}
