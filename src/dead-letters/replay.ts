import { HeadgateError } from '../contract/errors.js'
import { batchSender, STOPPED } from './claim.js'
import type { Doubt } from './doubts.js'
import type { History } from './history.js'
import type { Judgement } from './judge.js'
import { createLane, type Lane, type LaneOptions } from './lane.js'
import type { DeadLetter } from './letter.js'
import { nextItems } from './next-items.js'
import { settleDoubts } from './settle-doubts.js'

export interface ReplayOptions extends LaneOptions {
  /** What was read of each partition. */
  readonly histories: ReadonlyMap<number, History>
  readonly letters: readonly DeadLetter[]
  judge(letter: DeadLetter, value: Buffer): Promise<Judgement>
  /** Records a second; as many as go where undefined. */
  readonly rate: number | undefined
  /** Aborted when no more is to be sent. */
  readonly signal: AbortSignal
  /** Takes back what is on its way, so that it cannot arrive later. Nothing can be sent afterwards. */
  giveUp(): Promise<void>
  /** How many letters need nothing more. */
  onProgress(done: number, total: number): void
  /** An earlier run did not say what became of these; they are waited for, in milliseconds. */
  onDoubt(doubts: readonly Doubt[], wait: number): void
}

/** What has become of the letters so far. */
export interface Tally {
  delivered: number
  /** Replayed or discarded by others since they were chosen, or by a run that did not get to say so. */
  elsewhere: number
  /** Could not be sent, and are where they were. */
  readonly failed: { readonly letter: DeadLetter; readonly why: string }[]
  /** May have been sent; the next replay finds out. */
  readonly inDoubt: DeadLetter[]
  /** Were in doubt, and where they would be cannot be read any more: left alone. */
  readonly unknown: DeadLetter[]
}

export interface ReplayResult extends Readonly<Tally> {
  /** Not tried. */
  readonly left: number
  /** Why it ended before all were tried. */
  readonly reason: string | undefined
}

/**
 * Replays dead letters, each at most once, whoever else does so and wherever a process is killed. The log of the partition
 * that they are in decides: a run notes that it begins; it claims a batch, reads up to its own claim, and sends only
 * where nobody else has begun meanwhile; then it notes what became of the batch. A run that finds a claim without an end
 * waits until the claimant can have nothing under way, for a claim is good for a short time only, and then looks for the
 * records themselves.
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { letters, onProgress } = options
  const tally: Tally = { delivered: 0, elsewhere: 0, failed: [], inDoubt: [], unknown: [] }
  const done = () => tally.delivered + tally.elsewhere + tally.failed.length + tally.unknown.length
  const progress = () => onProgress(done(), letters.length)
  const result = (reason: string | undefined): ReplayResult => ({
    ...tally,
    left: letters.length - done() - tally.inDoubt.length,
    reason,
  })

  try {
    return result(await replayLanes(lanesOf(options), options, tally, progress))
  } catch (thrown) {
    if (thrown instanceof HeadgateError) return result(thrown.message)
    throw thrown
  }
}

/**
 * Returns why it ended early. One lane after the other, from the beginning on: were all begun at once, each of two runs
 * could be the last that began in a lane, and both would stop.
 */
async function replayLanes(
  lanes: readonly Lane[],
  options: ReplayOptions,
  tally: Tally,
  progress: () => void,
): Promise<string | undefined> {
  const { run, signal } = options
  const send = batchSender(options, tally, progress)
  for (const lane of lanes) {
    await lane.write({ kind: 'begun', run: run.id, by: run.by })
    await settleDoubts(lane, options, tally)
    while (lane.queue.length > 0) {
      progress()
      if (signal.aborted) return STOPPED
      for (let items = await nextItems(lane, options, tally); items.length > 0; ) {
        const { unsent, reason } = await send(lane, items)
        if (reason !== undefined) return reason
        items = unsent
      }
    }
  }
  progress()
  return undefined
}

/** The partitions in which there is something to settle. */
export function lanesOf(options: LaneOptions & Pick<ReplayOptions, 'histories' | 'letters'>): Lane[] {
  const inOrder = [...options.histories].sort(([a], [b]) => a - b)
  return inOrder.flatMap(([partition, history]) => {
    const queue = options.letters.filter((letter) => letter.partition === partition)
    queue.sort((a, b) => a.offset - b.offset)
    return queue.length === 0 ? [] : [createLane(options, history, queue, partition)]
  })
}
