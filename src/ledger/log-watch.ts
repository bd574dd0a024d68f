import { setTimeout as wait } from 'node:timers/promises'
import { asHeadgateError } from '../contract/errors.js'
import type { RecordLog } from '../contract/index.js'
import { isReplaced } from './replaced-log.js'
import type { LedgerStore } from './store.js'

interface LogWatchOptions {
  /** Without a log, the watch does nothing. */
  log(): RecordLog | undefined
  store(): LedgerStore
  /** Whether the ledger takes events. */
  isOpen(): boolean
  /** The log was replaced and has to be read. */
  onReplaced(): void
}

/** Milliseconds. */
const EVERY = 5000
/** Milliseconds between two looks, which redeliveries share: a storm of them asks the cluster no more often. */
const PAUSE = 5

/** Checks, while events are taken, that the log is still the one that the index describes. */
export class LogWatch {
  readonly #options: LogWatchOptions
  #timer: NodeJS.Timeout | undefined
  #problem: string | undefined
  #looking: Promise<boolean> | undefined
  #next: Promise<boolean> | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: LogWatchOptions) {
    this.#options = options
  }

  /** The reason why records may have moved; undefined if the log is in order. */
  get problem(): string | undefined {
    return this.#problem
  }

  start(): void {
    this.#timer = setInterval(() => void this.confirm().catch(() => {}), EVERY).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /**
   * Resolves with true if the log is still the same, by a look that began after this call; with false if it is not, or if
   * the ledger takes no events any more. Rejects if the log does not respond. Calls at the same time share one look.
   */
  confirm(): Promise<boolean> {
    this.#next ??= this.#lookNext()
    return this.#next
  }

  async #lookNext(): Promise<boolean> {
    await this.#looking?.catch(() => {})
    const rest = this.#lookedAt + PAUSE - performance.now()
    if (rest > 0) await wait(rest)
    this.#next = undefined
    this.#looking = this.#look()
    return this.#looking
  }

  async #look(): Promise<boolean> {
    const { log, store, isOpen, onReplaced } = this.#options
    this.#lookedAt = performance.now()
    const present = log()
    if (present === undefined || !isOpen()) return isOpen()
    try {
      const other = await isReplaced(present, store())
      this.#problem = undefined
      if (other && isOpen() && present === log()) onReplaced()
      return !other && isOpen()
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The log')
      // The sink itself reports that Kafka cannot be reached.
      this.#problem = error.code === 'HG_KAFKA_TOPIC_MISSING' ? error.message : undefined
      throw error
    }
  }
}
