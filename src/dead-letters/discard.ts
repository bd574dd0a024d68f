import { HeadgateError } from '../contract/errors.js'
import { settleInDoubt } from './in-doubt.js'
import {
  newTally,
  type PartitionReplay,
  partitionReplays,
  type RunOptions,
  STOPPED,
} from './partition-replay.js'

export interface DiscardOptions extends RunOptions {
  /** Kept in the note, for people. */
  readonly reason: string
}

export interface DiscardResult {
  readonly discarded: number
  /** Replayed or discarded by other runs since they were chosen. */
  readonly settledByOthers: number
  readonly notTried: number
  /** Why it ended before all were tried. */
  readonly reason: string | undefined
}

/** A note stays far below the size limit of a record. */
const MOST_LETTERS = 1000

/**
 * Settles dead letters without a record: a note in their partition says so. The order of the log decides between this and
 * a replay that runs at the same time, as it does between two replays, so none is both discarded and sent.
 */
export async function discard(options: DiscardOptions): Promise<DiscardResult> {
  const run = new DiscardRun(options)
  try {
    return run.result(await run.discardAll())
  } catch (thrown) {
    if (thrown instanceof HeadgateError) return run.result(thrown.message)
    throw thrown
  }
}

class DiscardRun {
  readonly #options: DiscardOptions
  readonly #tally = newTally()
  #discarded = 0

  constructor(options: DiscardOptions) {
    this.#options = options
  }

  /** Returns the reason if it ends early. */
  async discardAll(): Promise<string | undefined> {
    for (const partition of partitionReplays(this.#options)) {
      const reason = await this.#discard(partition)
      if (reason !== undefined) return reason
    }
    return undefined
  }

  result(reason: string | undefined): DiscardResult {
    const { settledByOthers } = this.#tally
    const notTried = this.#options.letters.length - this.#discarded - settledByOthers
    return { discarded: this.#discarded, settledByOthers, notTried, reason }
  }

  async #discard(partition: PartitionReplay): Promise<string | undefined> {
    const { run, signal, reason, letters, onProgress } = this.#options
    await partition.write({ kind: 'begun', run: run.id, by: run.by })
    await settleInDoubt(partition, this.#options, this.#tally)
    // It can no longer be found out whether letters in doubt were sent. A discard needs no record, so it can settle
    // them.
    const offsets = [...partition.queue, ...this.#tally.unknown.splice(0)].map(({ offset }) => offset)
    offsets.sort((a, b) => a - b)
    for (let at = 0; at < offsets.length; at += MOST_LETTERS) {
      if (signal.aborted) return STOPPED
      const batch = offsets.slice(at, at + MOST_LETTERS)
      await partition.write({ kind: 'discarded', run: run.id, reason, offsets: batch })
      const successor = partition.successor()
      if (successor !== undefined) return `another command has taken over: ${successor}`
      this.#discarded += batch.length
      onProgress(this.#discarded, letters.length)
    }
    return undefined
  }
}
