import { asHeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import type { LedgerReport } from '../ledger/ledger.js'
import { listed } from '../ledger/report.js'
import type { FailedAckStore } from './failed-ack-store.js'
import type { InboxAcks } from './inbox-acks.js'

export interface FailedAckRetriesOptions {
  readonly acks: Pick<InboxAcks, 'failures' | 'retryKept'>
  /** The store under the present config. */
  store(): FailedAckStore
  readonly logger: Log
}

/** Shows and retries the failed acknowledgements of all instances, and follows how they are settled. */
export class FailedAckRetries {
  readonly #options: FailedAckRetriesOptions

  constructor(options: FailedAckRetriesOptions) {
    this.#options = options
  }

  /** Makes them pending again. Those that nothing proves may be forged, and would acknowledge events that are not in Kafka. */
  async retry(): Promise<number> {
    const { acks, store } = this.#options
    const kept = await store().open()
    return acks.retryKept(kept.filter(({ isProven }) => isProven))
  }

  async report(): Promise<LedgerReport['failed']> {
    const { failures } = this.#options.acks
    const own = failures.kept
    try {
      const open = await this.#options.store().open()
      failures.settle(
        own,
        open.map(({ position }) => position),
      )
      return { count: open.length, first: listed(open, (time) => time) }
    } catch (thrown) {
      return { count: own.length, first: [], problem: asHeadgateError(thrown, 'The inbox').message }
    }
  }

  /** Other instances and commands settle those of this instance, too. */
  async look(): Promise<void> {
    const { failures } = this.#options.acks
    const own = failures.kept
    if (own.length > 0)
      await this.#try(async (store) => failures.settle(own, await store.stillOpen(own)), 'read')
  }

  /** Notes those that were acknowledged since the last call, or with the next call. */
  async note(): Promise<void> {
    const { failures } = this.#options.acks
    const unnoted = failures.takeUnnoted()
    if (unnoted.length === 0) return
    const isNoted = await this.#try((store) => store.acknowledged(unnoted), 'written')
    if (!isNoted) failures.giveBack(unnoted)
  }

  async #try(task: (store: FailedAckStore) => Promise<void>, done: 'read' | 'written'): Promise<boolean> {
    try {
      await task(this.#options.store())
      return true
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'The inbox')
      this.#options.logger.debug({ code }, `the topic for dead letters cannot be ${done} now: ${message}`)
      return false
    }
  }
}
