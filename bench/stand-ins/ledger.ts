import type { Event, Outcome } from '../../src/contract/index.js'
import type { DurableLedgerOptions } from '../../src/ledger/durable-ledger.js'
import type { Ledger } from '../../src/ledger/ledger.js'
import { committedOf, type FailureReason, type PendingAck } from '../../src/ledger/rows.js'
import { LEDGER_REPLACED } from './without-ledger.js'

console.log(LEDGER_REPLACED)

/**
 * No digest, no index, no disk, no deduplication: a queue in memory between the path of events and the acknowledgements,
 * without which there would be none. Its only use is to measure the cost of the real ledger.
 */
export class DurableLedger implements Ledger {
  readonly #stages: number
  readonly #wakers: (() => void)[] = []
  readonly #queues: readonly Queue[]
  #pending = 0

  constructor({ stages }: DurableLedgerOptions) {
    this.#stages = stages
    this.#queues = Array.from({ length: stages }, () => new Queue())
  }

  async start(): Promise<void> {}
  async finish(): Promise<void> {}

  async stop(): Promise<void> {}
  async ready(): Promise<void> {}
  async refill(): Promise<void> {}
  async catchUp(): Promise<void> {}
  change(): void {}
  notReady = () => []
  now = () => Date.now()
  findWritten = () => undefined
  canMoveTo = () => true
  report = () => Promise.reject(new Error('The stand-in has no report.'))
  instances = () => Promise.reject(new Error('The stand-in has no instances.'))
  partitions = () => []
  retryFailed = async () => 0

  async once(event: Event, deliver: (digest: string) => Promise<Outcome>): Promise<Outcome> {
    const outcome = await deliver('')
    this.#settle(event, outcome)
    return outcome
  }

  take(stage: number, now: number): PendingAck | undefined {
    const first = this.#queues[stage]?.peek()
    if (first === undefined || first.dueAt > now) return undefined
    this.#queues[stage]?.shift()
    return first
  }

  acknowledged(pending: PendingAck): void {
    if (pending.stage + 1 < this.#stages) this.#add({ ...pending, stage: pending.stage + 1, attempts: 0 })
    else this.#pending--
  }

  retry(pending: PendingAck, dueAt: number): void {
    this.#add({ ...pending, attempts: pending.attempts + 1, dueAt })
  }

  failed(_pending: PendingAck, _reason: FailureReason): void {
    this.#pending--
  }

  dueAt(stage: number): number | undefined {
    return this.#queues[stage]?.peek()?.dueAt
  }

  onAdded(stage: number, wake: () => void): void {
    this.#wakers[stage] = wake
  }

  backlog(): ReturnType<Ledger['backlog']> {
    return {
      count: this.#pending,
      oldestAge: 0,
      failed: 0,
      dedupSpan: 0,
      replacedPartitions: 0,
      unprovenRecords: 0,
      sameIdOtherBytes: 0,
    }
  }

  #settle(event: Event, outcome: Outcome): void {
    if ((outcome.kind !== 'dropped' && !('receipt' in outcome)) || this.#stages === 0) return
    const committed = committedOf(event, outcome.kind === 'dropped' ? undefined : outcome.receipt)
    this.#pending++
    const now = Date.now()
    this.#add({ committed, committedAt: now, stage: 0, attempts: 0, dueAt: now })
  }

  #add(pending: PendingAck): void {
    this.#queues[pending.stage]?.push(pending)
    this.#wakers[pending.stage]?.()
  }
}

/**
 * First in, first out. To remove the first item of an array moves all the others, so this does it only now and then.
 */
class Queue {
  #items: PendingAck[] = []
  #head = 0

  push(pending: PendingAck): void {
    this.#items.push(pending)
  }

  peek(): PendingAck | undefined {
    return this.#items[this.#head]
  }

  shift(): void {
    this.#head++
    if (this.#head < this.#items.length / 2) return
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
