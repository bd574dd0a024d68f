import type { Position, RecordLog } from '../contract/index.js'
import { createRate } from '../lib/rate.js'
import type { Lane } from './lane.js'
import type { ReplayOptions, Tally } from './replay.js'
import { type Item, type Sent, sendBatch } from './send-batch.js'

const MOST_LETTERS = 1000
/** Of the time that a claim is good for, so much may go into keeping the rate. */
const RATE_SHARE = 0.4

export const STOPPED = 'it was stopped'

export interface BatchEnd {
  readonly unsent: readonly Item[]
  /** Why nothing more can be sent now. */
  readonly reason: string | undefined
}

/** Sends the first batch of the items that it is given: claims it, sends it, and notes what became of it. */
export function batchSender(options: ReplayOptions, tally: Tally, onDelivered: () => void) {
  const { log, run, signal, giveUp, sendWithin } = options
  const rate = createRate(options.rate)
  const mostAtOnce =
    options.rate === undefined ? MOST_LETTERS : (options.rate * sendWithin * RATE_SHARE) / 1000
  const size = Math.ceil(Math.min(MOST_LETTERS, mostAtOnce))

  return async function send(lane: Lane, items: readonly Item[]): Promise<BatchEnd> {
    const batch = items.slice(0, size)
    const offsets = batch.map(({ letter }) => letter.offset)
    const from = await endsFor(log, batch)
    const deadline = performance.now() + sendWithin
    await lane.write({ kind: 'claimed', run: run.id, offsets, from })
    const successor = lane.successor()
    if (successor !== undefined) {
      await lane.write({ kind: 'settled', run: run.id, delivered: [], released: offsets })
      return { unsent: items, reason: `another replay has begun after it: ${successor}` }
    }
    const { sent, gaveUp } = await sendBatch(batch, {
      send: options.send,
      deadline,
      rate,
      signal,
      giveUp,
      giveUpWithin: sendWithin,
      onDelivered() {
        tally.delivered++
        onDelivered()
      },
    })
    const unsent = count(batch, sent, tally)
    if (!gaveUp) await lane.write(settled(run.id, batch, sent))
    return { unsent: [...unsent, ...items.slice(size)], reason: reasonToStop(sent, gaveUp) }
  }

  function reasonToStop(sent: readonly Sent[], gaveUp: boolean): string | undefined {
    for (const each of sent)
      if ('error' in each && (each.kind === 'in-doubt' || each.error.kind !== 'data'))
        return each.error.message
    if (signal.aborted) return STOPPED
    const slow = gaveUp || sent.every(({ kind }) => kind === 'unsent')
    return slow ? `the sink takes longer than ${sendWithin / 1000} s` : undefined
  }
}

/** Returns those that can be tried again. */
function count(batch: readonly Item[], sent: readonly Sent[], tally: Tally): Item[] {
  return batch.filter(({ letter }, index) => {
    const each = sent[index]
    if (each?.kind === 'in-doubt') tally.inDoubt.push(letter)
    else if (each?.kind === 'failed' && each.error.kind === 'data')
      tally.failed.push({ letter, why: `${each.error.code}: ${each.error.message}` })
    else return each?.kind !== 'delivered'
    return false
  })
}

function settled(run: string, batch: readonly Item[], sent: readonly Sent[]) {
  const ends = batch.map(({ letter: { offset } }, index) => ({ offset, end: sent[index] }))
  return {
    kind: 'settled' as const,
    run,
    delivered: ends.flatMap(({ offset, end }) =>
      end?.kind === 'delivered' ? [{ offset, receipt: end.receipt }] : [],
    ),
    released: ends.flatMap(({ offset, end }) =>
      end?.kind === 'failed' || end?.kind === 'unsent' ? [offset] : [],
    ),
  }
}

/** Where the topics of a batch end now: no record of it can be before. */
async function endsFor(log: RecordLog, batch: readonly Item[]): Promise<Position[]> {
  const topics = new Set(batch.map(({ record }) => record.target.topic))
  return (await log.partitions())
    .filter(({ topic }) => topics.has(topic))
    .map(({ topic, partition, end }) => ({ topic, partition, offset: end }))
}
