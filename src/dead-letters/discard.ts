import { HeadgateError } from '../contract/errors.js'
import { STOPPED } from './claim.js'
import type { Lane } from './lane.js'
import { lanesOf, type ReplayOptions, type Tally } from './replay.js'
import { settleDoubts } from './settle-doubts.js'

export interface DiscardOptions
  extends Pick<
    ReplayOptions,
    | 'log'
    | 'send'
    | 'pipeline'
    | 'topic'
    | 'run'
    | 'histories'
    | 'letters'
    | 'signal'
    | 'sendWithin'
    | 'onDoubt'
    | 'onProgress'
  > {
  /** Kept in the note, for people. */
  readonly reason: string
}

export interface DiscardResult {
  readonly discarded: number
  /** Replayed or discarded by others since they were chosen. */
  readonly elsewhere: number
  /** Not tried. */
  readonly left: number
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
  const { letters, onProgress } = options
  const tally: Tally = { delivered: 0, elsewhere: 0, failed: [], inDoubt: [], unknown: [] }
  let discarded = 0
  const result = (reason: string | undefined): DiscardResult => {
    const { elsewhere } = tally
    return { discarded, elsewhere, left: letters.length - discarded - elsewhere, reason }
  }
  const onDiscarded = (count: number) => {
    discarded += count
    onProgress(discarded, letters.length)
  }
  try {
    for (const lane of lanesOf(options)) {
      const reason = await discardLane(lane, options, tally, onDiscarded)
      if (reason !== undefined) return result(reason)
    }
    return result(undefined)
  } catch (thrown) {
    if (thrown instanceof HeadgateError) return result(thrown.message)
    throw thrown
  }
}

/** Returns why it ended early. */
async function discardLane(
  lane: Lane,
  options: DiscardOptions,
  tally: Tally,
  onDiscarded: (count: number) => void,
): Promise<string | undefined> {
  const { run, signal, reason } = options
  await lane.write({ kind: 'begun', run: run.id, by: run.by })
  await settleDoubts(lane, options, tally)
  // Nobody will ever know whether these were sent. They need no record, so they can be settled here, and only here.
  const offsets = [...lane.queue, ...tally.unknown.splice(0)].map(({ offset }) => offset)
  offsets.sort((a, b) => a - b)
  for (let at = 0; at < offsets.length; at += MOST_LETTERS) {
    if (signal.aborted) return STOPPED
    const batch = offsets.slice(at, at + MOST_LETTERS)
    await lane.write({ kind: 'discarded', run: run.id, reason, offsets: batch })
    const successor = lane.successor()
    if (successor !== undefined) return `another command has taken over: ${successor}`
    onDiscarded(batch.length)
  }
  return undefined
}
