import { asHeadgateError } from '../contract/errors.js'
import type { Log, Position, RecordLog } from '../contract/index.js'
import { SerialQueue, untilAborted } from '../lib/async.js'

interface OffsetCommitterOptions {
  log(): RecordLog | undefined
  readonly logger: Log
  /** The offset up to which each partition is acknowledged. */
  positions(): readonly Position[]
  /** Aborted when nothing waits for the commits any more. */
  readonly signal: AbortSignal
}

const EVERY_MS = 1000

/**
 * Keeps the offsets of the consumer group at the lowest record that is not acknowledged, so that the backlog is ordinary lag.
 * They never go back: an acknowledgement that is repeated for a redelivery does not need them if the state directory is
 * lost.
 */
export class OffsetCommitter {
  readonly #options: OffsetCommitterOptions
  readonly #committed = new Map<string, number>()
  /** The log to which `#committed` belongs. */
  #committedTo: RecordLog | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #commits = new SerialQueue()
  #failing = false
  #stopped = false

  constructor(options: OffsetCommitterOptions) {
    this.#options = options
  }

  /** Something was committed or acknowledged: schedules a commit. */
  wake(): void {
    if (this.#options.log() === undefined || this.#stopped) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#commits.run(() => this.#commit())
    }, EVERY_MS).unref()
  }

  /** Partitions have other logs than before: offsets that were committed for those do not count. */
  forget(): void {
    this.#committedTo = undefined
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    const { signal } = this.#options
    if (!signal.aborted)
      await untilAborted(
        this.#commits.run(() => this.#commit()),
        signal,
      )
  }

  async #commit(): Promise<void> {
    const { log, logger, positions } = this.#options
    const present = log()
    if (present === undefined || positions().length === 0) return
    try {
      if (present !== this.#committedTo) await this.#load(present)
      const next = this.#ahead()
      if (next.length === 0) return
      await present.commit(next)
      for (const { topic, partition, offset } of next) this.#committed.set(`${topic} ${partition}`, offset)
      this.#failing = false
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'Committing')
      if (!this.#failing) logger.warn({ code }, `the acknowledged position cannot be committed: ${message}`)
      this.#failing = true
      if (!this.#stopped) this.wake()
    }
  }

  /** Offsets of earlier processes count, too: during a recovery the state has less than they had. */
  async #load(present: RecordLog): Promise<void> {
    const partitions = await present.partitions(this.#options.positions())
    this.#committed.clear()
    for (const { topic, partition, end, committed } of partitions)
      if (committed !== undefined && committed <= end) this.#committed.set(`${topic} ${partition}`, committed)
    this.#committedTo = present
  }

  #ahead(): readonly Position[] {
    return this.#options
      .positions()
      .filter(({ topic, partition, offset }) => offset > (this.#committed.get(`${topic} ${partition}`) ?? -1))
  }
}
