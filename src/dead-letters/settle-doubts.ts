import { setTimeout as delay } from 'node:timers/promises'
import { type Doubt, search } from './doubts.js'
import type { Lane } from './lane.js'
import type { DeadLetter } from './letter.js'
import type { ReplayOptions, Tally } from './replay.js'

/** A claimant gives up at the end of its time; that long again is for clocks that differ and connections that close. */
export const PATIENCE = 2

/**
 * Takes from the queue what needs nothing more: what others have replayed, and what an earlier run may have replayed
 * without getting to note it.
 */
export async function settleDoubts(
  lane: Lane,
  {
    log,
    run,
    signal,
    sendWithin,
    onDoubt,
  }: Pick<ReplayOptions, 'log' | 'run' | 'signal' | 'sendWithin' | 'onDoubt'>,
  tally: Tally,
): Promise<void> {
  dropDone(lane, tally)
  const before = doubtsOf(lane)
  if (before.length === 0) return
  onDoubt(before, sendWithin * PATIENCE)
  await delay(sendWithin * PATIENCE, undefined, { signal }).catch(() => {})
  if (signal.aborted) return
  await lane.catchUp()

  const answers = await search(log, doubtsOf(lane))
  const delivered = lane.queue.flatMap((letter) => {
    const answer = answers.get(letter)
    return answer?.kind === 'delivered' ? [{ offset: letter.offset, receipt: answer.receipt }] : []
  })
  if (delivered.length > 0) await lane.write({ kind: 'settled', run: run.id, delivered, released: [] })
  dropDone(lane, tally)
  const isUnknown = (letter: DeadLetter) => answers.get(letter)?.kind === 'unknown'
  tally.unknown.push(...lane.queue.filter(isUnknown))
  lane.queue = lane.queue.filter((letter) => !isUnknown(letter))
}

const doubtsOf = ({ queue, history }: Lane): Doubt[] =>
  queue.flatMap((letter) => {
    const claim = history.claims.get(letter.offset)
    return claim === undefined ? [] : [{ letter, claim }]
  })

/** There is nothing left to do for those that others have replayed or discarded. */
function dropDone(lane: Lane, tally: Tally): void {
  const { delivered, discarded } = lane.history
  const open = lane.queue.filter(({ offset }) => !delivered.has(offset) && !discarded.has(offset))
  tally.elsewhere += lane.queue.length - open.length
  lane.queue = open
}
