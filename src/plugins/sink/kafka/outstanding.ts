import type { HeadgateError } from '../../../contract/errors.js'
import type { Receipt, Target } from '../../../contract/index.js'
import { inDoubt } from './failures.js'

export interface Sent {
  readonly target: Target
  resolve(receipt: Receipt): void
  reject(error: HeadgateError): void
}

/** The records of one session that Kafka has not reported on yet, by their opaque. */
export interface Outstanding<One extends Sent = Sent> {
  /** An opaque that no outstanding record has. */
  nextOpaque(): number
  add(opaque: number, sent: One): void
  /** The record that a report is about; undefined where it was given up, and answered, before. */
  settle(opaque: number): One | undefined
  /** The same record, which stays. */
  find(opaque: number): One | undefined
  all(): Iterable<One>
  count(): number
  /** Milliseconds since the last report, while any is outstanding. */
  stalledFor(): number
  /** Answers all of them: Kafka may have them or not. */
  giveUp(code: 'HG_KAFKA_FATAL' | 'HG_KAFKA_NOT_DELIVERED', why: string): void
  /** Resolves when there are none, or when `signal` is aborted. */
  drained(signal: AbortSignal): Promise<void>
}

/** Opaques are small integers: these cross into C++ and back without an allocation. */
const OPAQUES = 2 ** 30

export function createOutstanding<One extends Sent = Sent>(): Outstanding<One> {
  const waiting = new Map<number, One>()
  let next = 0
  let progressAt = 0
  let onDrained = () => {}

  return {
    nextOpaque() {
      const opaque = next
      next = (next + 1) % OPAQUES
      return opaque
    },
    add(opaque, sent) {
      if (waiting.size === 0) progressAt = performance.now()
      waiting.set(opaque, sent)
    },
    settle(opaque) {
      const sent = waiting.get(opaque)
      if (sent === undefined) return undefined
      waiting.delete(opaque)
      progressAt = performance.now()
      if (waiting.size === 0) onDrained()
      return sent
    },
    find: (opaque) => waiting.get(opaque),
    all: () => waiting.values(),
    count: () => waiting.size,
    stalledFor: () => (waiting.size === 0 ? 0 : performance.now() - progressAt),
    giveUp(code, why) {
      for (const { target, reject } of waiting.values()) reject(inDoubt(code, target, why))
      waiting.clear()
      onDrained()
    },
    drained(signal) {
      if (waiting.size === 0 || signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        onDrained = () => {
          signal.removeEventListener('abort', onDrained)
          resolve()
        }
        signal.addEventListener('abort', onDrained)
      })
    },
  }
}
