import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { InstanceGroup, RecordLog } from '../contract/index.js'
import { backoffDelay, sleep } from '../lib/async.js'
import { askPartitions, type CatchUpOptions, catchUp, catchUpNewPartitions, newProgress } from './catch-up.js'
import { leaveInbox } from './former-topics.js'
import { requireSameLog } from './replaced-log.js'

interface RecoveryOptions {
  /** The present log; without one, there is nothing to read. */
  log(): RecordLog | undefined
  /** The instances of the pipeline, of which only the active one may read to the end. */
  instances(): InstanceGroup | undefined
  /** The options for reading a log, as they are now. */
  catchUpOptions(log: () => RecordLog): Omit<CatchUpOptions, 'quiet'>
  /** Called each time that the ledger has caught up. */
  onCaughtUp(): void
}

/** Milliseconds. */
const BACKOFF = { initial: 500, max: 5000 }

/** Brings the ledger up to date with the log. Until it has caught up, the ledger takes no event. */
export class Recovery {
  readonly #options: RecoveryOptions
  readonly #progress = newProgress()
  #condition: 'idle' | 'recovering' | 'open' | 'stopped' = 'idle'
  /** Records of the present sink are in doubt, and only its log can resolve that. */
  #isFencing = false
  #logChanged = false
  #preparations = 0
  #ending = new AbortController()
  #waiting: { resolve(): void; reject(error: HeadgateError): void }[] = []

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** The ledger has caught up and takes events. */
  get isOpen(): boolean {
    return this.#condition === 'open'
  }

  get isStopped(): boolean {
    return this.#condition === 'idle' || this.#condition === 'stopped'
  }

  /** Records of a log are being read, by a recovery or by `prepare`. */
  get isReading(): boolean {
    return this.#condition === 'recovering' || this.#preparations > 0
  }

  /** As `Ledger.ready`. */
  ready(): Promise<void> {
    if (this.isOpen) return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (this.#condition === 'stopped') reject(stoppedError())
      else this.#waiting.push({ resolve, reject })
    })
  }

  notReady(): readonly string[] {
    const instances = this.#options.instances()
    if (this.#condition === 'stopped') return []
    if (instances?.isActive() === false) return [instances.reason()]
    if (this.#condition !== 'recovering') return []
    const { read, total, problem } = this.#progress
    return [problem ?? `The ledger is catching up with Kafka: ${read} of about ${total} records.`]
  }

  /**
   * Closes the ledger for events until the log has been read to its end. `fence` if the fate of a record is unknown: gives up
   * all records in flight first, so that none of them can turn up later. `quiet` if no record can be in flight.
   */
  start({ fence, quiet }: { readonly fence: boolean; readonly quiet: boolean }): void {
    if (this.#condition === 'recovering') return
    if (this.#options.log() === undefined) {
      this.#open()
      return
    }
    this.#condition = 'recovering'
    this.#ending = new AbortController()
    this.#isFencing = fence
    void this.#run(fence, quiet)
  }

  /** The present log is another one than before: a recovery that is under way starts over. */
  logChanged(): void {
    this.#logChanged = this.#condition === 'recovering'
  }

  /** As `Ledger.catchUp`. */
  async prepare(next: RecordLog): Promise<void> {
    // A recovery that is under way starts over when the log changes.
    if (!this.isOpen) return
    this.#preparations++
    try {
      const options = { ...this.#options.catchUpOptions(() => next), quiet: false }
      await requireSameLog(next, options.store)
      await catchUpNewPartitions(options)
    } finally {
      this.#preparations--
    }
  }

  /** As `Ledger.canMoveTo`. */
  canMoveTo(next: RecordLog | undefined): boolean {
    return this.#condition !== 'recovering' || !(this.#isFencing || next === undefined)
  }

  stop(): void {
    this.#condition = 'stopped'
    this.#ending.abort()
    for (const { reject } of this.#waiting) reject(stoppedError())
    this.#waiting = []
  }

  #open(): void {
    this.#condition = 'open'
    for (const { resolve } of this.#waiting) resolve()
    this.#waiting = []
  }

  async #run(fence: boolean, quiet: boolean): Promise<void> {
    let fenceFirst = fence
    const isDisplaced = () => this.#options.instances()?.isActive() === false
    do {
      this.#logChanged = false
      const options = this.#options.catchUpOptions(() => this.#options.log() as RecordLog)
      const signal = AbortSignal.any([options.signal, this.#ending.signal])
      await this.#catchUp({ ...options, quiet, signal }, fenceFirst)
      if (signal.aborted || this.#condition !== 'recovering') return
      fenceFirst = false
    } while (this.#logChanged || isDisplaced())
    this.#isFencing = false
    this.#options.onCaughtUp()
    this.#open()
  }

  /** Resolves with true if another instance was active in the meantime. */
  async #untilActive(signal: AbortSignal): Promise<boolean> {
    let stoodBy = false
    for (;;) {
      const instances = this.#options.instances()
      if (await instances?.active(signal)) stoodBy = true
      // A reload replaces it when its sink changes.
      if (signal.aborted || instances === this.#options.instances()) return stoodBy
    }
  }

  /** Retries until it succeeds or the signal is aborted. */
  async #catchUp(options: CatchUpOptions, fence: boolean): Promise<void> {
    const { logger, signal } = options
    let { quiet } = options
    for (let retries = 0; !signal.aborted; retries++) {
      try {
        // A standby must not write what it had in flight when it was active.
        if (fence) await options.log().fence()
        if (await this.#untilActive(signal)) quiet = false
        if (signal.aborted) return
        // Most pipelines never had an inbox: that takes no time of its own.
        const asked = askPartitions(options)
        asked.catch(() => {})
        const hasLeft = await leaveInbox(options.log(), options.store, logger)
        const reindex = options.reindex || hasLeft
        await catchUp({ ...options, quiet, reindex }, this.#progress, hasLeft ? undefined : asked)
        this.#progress.problem = undefined
        return
      } catch (thrown) {
        // A log that is closed by a stop, or by a reload, is no problem of the log. The next one is read without a delay: reloads
        // that come often would keep the ledger from catching up.
        if (signal.aborted || this.#logChanged) return
        const { code, message } = asHeadgateError(thrown, 'The recovery')
        if (this.#progress.problem !== message)
          logger.warn(
            { code },
            `no events are taken until the ledger has caught up with Kafka; retrying: ${message}`,
          )
        this.#progress.problem = message
        await sleep(backoffDelay(BACKOFF, retries), signal, false)
      }
    }
  }
}

export const stoppedError = (): HeadgateError =>
  new HeadgateError('HG_LEDGER_NOT_READY', 'The ledger has been stopped.')
