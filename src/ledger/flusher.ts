import { asHeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'

/**
 * An acknowledgement usually succeeds within this time, and then never touches the disk. Each write needs a few pages of the
 * index, however little it writes: the more there is to write, the fewer pages each change costs. A recovery
 * reads changes that a crash loses meanwhile from Kafka.
 */
const GATHER_MS = 500
const RETRY_MS = 1000

/** Calls `flush` a little after the first change, one call at a time, and again after a failure. */
export class Flusher {
  readonly #flush: () => Promise<void>
  readonly #logger: Log
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  /** There were changes during the present write. */
  #changed = false
  #stopped = false
  #problem: string | undefined

  constructor({ flush, logger }: { flush(): Promise<void>; logger: Log }) {
    this.#flush = flush
    this.#logger = logger
  }

  /** The reason why nothing can be written; undefined if writing works. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Something has changed: schedules a write of all changes until then. */
  wake(): void {
    if (this.#writing === undefined) this.#schedule(GATHER_MS)
    else this.#changed = true
  }

  /** Writes all changes; resolves even if that fails. */
  async now(): Promise<void> {
    await this.#writing
    if (this.#writing === undefined) this.#start()
    await this.#writing
  }

  /** Writes all changes for the last time. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.now()
  }

  #schedule(delay: number): void {
    if (!this.#stopped) this.#timer ??= setTimeout(() => this.#start(), delay).unref()
  }

  #start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
      if (this.#problem !== undefined) this.#schedule(RETRY_MS)
      else if (this.#changed) this.#schedule(GATHER_MS)
      this.#changed = false
    })
  }

  async #write(): Promise<void> {
    try {
      await this.#flush()
      if (this.#problem !== undefined) this.#logger.info({}, 'the state directory can be written again')
      this.#problem = undefined
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'Writing the state')
      if (this.#problem === undefined) this.#logger.error({ code }, message)
      this.#problem = message
    }
  }
}
