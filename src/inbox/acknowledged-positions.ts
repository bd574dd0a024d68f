import { asHeadgateError } from '../contract/errors.js'
import type { InboxMember, Log } from '../contract/index.js'
import type { InboxAcks } from './inbox-acks.js'

/** Milliseconds. Positions that do not change are committed again: a broker forgets them after its `offsets.retention.minutes`. */
const COMMIT_ALL_EVERY = 3_600_000

/** Keeps the group of the acknowledged positions up to date: its lag is the acknowledgements that are pending. */
export class AcknowledgedPositions {
  readonly #acks: Pick<InboxAcks, 'positions'>
  readonly #logger: Log
  readonly #committed = new Map<number, number>()
  #committedAllAt = performance.now()

  constructor(acks: Pick<InboxAcks, 'positions'>, logger: Log) {
    this.#acks = acks
    this.#logger = logger
  }

  /** Never rejects: an offset that could not be committed is committed with the next. */
  async commit(member: Pick<InboxMember, 'acknowledged'>): Promise<void> {
    if (performance.now() - this.#committedAllAt >= COMMIT_ALL_EVERY) {
      this.#committed.clear()
      this.#committedAllAt = performance.now()
    }
    const changed = [...this.#acks.positions()].filter(
      ([partition, offset]) => this.#committed.get(partition) !== offset,
    )
    if (changed.length === 0) return
    try {
      await member.acknowledged(new Map(changed))
      for (const [partition, offset] of changed) this.#committed.set(partition, offset)
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'The inbox')
      this.#logger.debug({ code }, `the acknowledged position cannot be committed: ${message}`)
    }
  }
}
