import { HeadgateError } from '../contract/errors.js'
import type { Position, RecordLog } from '../contract/index.js'
import { HEADER } from '../ledger/record-headers.js'
import { Rate } from '../lib/rate.js'
import { readUntil } from './find.js'
import { settleInDoubt } from './in-doubt.js'
import { type Judgement, whyNot } from './judge.js'
import { type DeadLetter, nameOf } from './letter.js'
import type { Note } from './notes.js'
import {
  newTally,
  type PartitionReplay,
  partitionReplays,
  type RunOptions,
  STOPPED,
  type Tally,
} from './partition-replay.js'
import { type ReplayItem, type SendResult, sendBatch } from './send-batch.js'

export interface ReplayOptions extends RunOptions {
  judge(letter: DeadLetter, value: Buffer): Promise<Judgement>
  /** Records a second; unlimited if undefined. */
  readonly rate: number | undefined
  /** Cancels the records in flight, so that they cannot arrive later. Nothing can be sent afterwards. */
  giveUp(): Promise<void>
}

export interface ReplayResult extends Readonly<Tally> {
  readonly notTried: number
  /** Why it ended before all were tried. */
  readonly reason: string | undefined
}

/** Letters of one batch: a note stays far below the size limit of a record. */
const MOST_LETTERS = 1000
/** Bytes of the values that are in memory at once. */
const MOST_BYTES = 32 * 1024 * 1024
/** The share of the time for which a claim is good that may be spent on keeping the rate. */
const RATE_SHARE = 0.4

/**
 * Replays dead letters, each at most once, even if several processes do so at once or are killed at any point. The log of the
 * partition that holds them decides: a run notes that it begins; it claims a batch, reads up to its own claim, and sends only
 * if no other run has begun meanwhile; then it notes how the batch ended. A run that finds a claim without such a note waits until the claimant can have nothing in flight, because a claim is valid for a short time only, and then searches the log for the records themselves.
 *
 * If Kafka stops responding, the run ends with the reason: notes, records and the cancellation have deadlines, and the sink ends a read that makes no progress.
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const run = new ReplayRun(options)
  try {
    return run.result(await run.sendAll())
  } catch (thrown) {
    if (thrown instanceof HeadgateError) return run.result(thrown.message)
    throw thrown
  }
}

class ReplayRun {
  readonly #options: ReplayOptions
  readonly #tally = newTally()
  readonly #rate: Rate
  readonly #batchSize: number

  constructor(options: ReplayOptions) {
    const { rate, sendWithin } = options
    this.#options = options
    this.#rate = new Rate(rate)
    const inTime = rate === undefined ? MOST_LETTERS : (rate * sendWithin * RATE_SHARE) / 1000
    this.#batchSize = Math.ceil(Math.min(MOST_LETTERS, inTime))
  }

  /**
   * Returns the reason if it ends early. It begins one partition after the other: if it began all of them at once, each of two
   * runs could be the last that began in one of them, and both would stop.
   */
  async sendAll(): Promise<string | undefined> {
    const { run, signal } = this.#options
    for (const partition of partitionReplays(this.#options)) {
      await partition.write({ kind: 'begun', run: run.id, by: run.by })
      await settleInDoubt(partition, this.#options, this.#tally)
      while (partition.queue.length > 0) {
        this.#progress()
        if (signal.aborted) return STOPPED
        for (let items = await this.#nextItems(partition); items.length > 0; ) {
          const { unsent, reason } = await this.#sendBatch(partition, items)
          if (reason !== undefined) return reason
          items = unsent
        }
      }
    }
    this.#progress()
    return undefined
  }

  result(reason: string | undefined): ReplayResult {
    const { letters } = this.#options
    const notTried = letters.length - this.#done() - this.#tally.inDoubt.length
    return { ...this.#tally, notTried, reason }
  }

  /** Takes the first letters from the queue, as many as may be in memory at once, and makes their records. */
  async #nextItems(partition: PartitionReplay): Promise<readonly ReplayItem[]> {
    const { log, topic, judge } = this.#options
    const [first] = partition.queue
    if (first === undefined) return []
    const wanted = new Map(partition.queue.map((letter) => [letter.offset, letter]))
    const values = new Map<DeadLetter, Buffer>()
    let bytes = 0
    let end = Number.POSITIVE_INFINITY
    const from = { topic, partition: partition.partition, offset: first.offset }
    await readUntil(log, from, ({ offset, value }) => {
      const letter = wanted.get(offset)
      if (letter === undefined) return false
      if (bytes >= MOST_BYTES) {
        end = offset
        return true
      }
      bytes += value.length
      values.set(letter, value)
      return values.size === wanted.size
    })

    const items: ReplayItem[] = []
    for (const letter of partition.queue.filter(({ offset }) => offset < end)) {
      const value = values.get(letter)
      const made = value === undefined ? 'it is no longer there' : itemOf(letter, await judge(letter, value))
      if (typeof made === 'string') this.#tally.failed.push({ letter, why: made })
      else items.push(made)
    }
    partition.queue = partition.queue.filter(({ offset }) => offset >= end)
    return items
  }

  /** Claims and sends the first batch of these items, and notes how that ended. `reason`: why nothing more can be sent now. */
  async #sendBatch(
    partition: PartitionReplay,
    items: readonly ReplayItem[],
  ): Promise<{ readonly unsent: readonly ReplayItem[]; readonly reason: string | undefined }> {
    const { log, run, signal, giveUp, sendWithin, send } = this.#options
    const batch = items.slice(0, this.#batchSize)
    const offsets = batch.map(({ letter }) => letter.offset)
    const from = await endsFor(log, batch)
    const deadline = performance.now() + sendWithin
    await partition.write({ kind: 'claimed', run: run.id, offsets, from })
    const successor = partition.successor()
    if (successor !== undefined) {
      await partition.write({ kind: 'settled', run: run.id, delivered: [], released: offsets })
      return { unsent: items, reason: `another replay has begun after it: ${successor}` }
    }
    const onDelivered = () => {
      this.#tally.delivered++
      this.#progress()
    }
    const sending = {
      send,
      deadline,
      rate: this.#rate,
      signal,
      giveUp,
      giveUpWithin: sendWithin,
      onDelivered,
    }
    const { results, gaveUp } = await sendBatch(batch, sending)
    const unsent = this.#count(batch, results)
    if (!gaveUp) await partition.write(settledNote(run.id, batch, results))
    return {
      unsent: [...unsent, ...items.slice(this.#batchSize)],
      reason: this.#reasonToStop(results, gaveUp),
    }
  }

  #reasonToStop(results: readonly SendResult[], gaveUp: boolean): string | undefined {
    const { signal, sendWithin } = this.#options
    for (const result of results)
      if ('error' in result && (result.kind === 'in-doubt' || result.error.kind !== 'data'))
        return result.error.message
    if (signal.aborted) return STOPPED
    const isSlow = gaveUp || results.every(({ kind }) => kind === 'unsent')
    return isSlow ? `the sink takes longer than ${sendWithin / 1000} s` : undefined
  }

  /** Returns those that can be sent again. */
  #count(batch: readonly ReplayItem[], results: readonly SendResult[]): ReplayItem[] {
    const { inDoubt, failed } = this.#tally
    return batch.filter(({ letter }, index) => {
      const result = results[index]
      if (result?.kind === 'in-doubt') inDoubt.push(letter)
      else if (result?.kind === 'failed' && result.error.kind === 'data')
        failed.push({ letter, why: `${result.error.code}: ${result.error.message}` })
      else return result?.kind !== 'delivered'
      return false
    })
  }

  #done(): number {
    const { delivered, settledByOthers, failed, unknown } = this.#tally
    return delivered + settledByOthers + failed.length + unknown.length
  }

  #progress(): void {
    const { letters, onProgress } = this.#options
    onProgress(this.#done(), letters.length)
  }
}

/** The record made of a letter, or the reason why there is none. */
function itemOf(letter: DeadLetter, judgement: Judgement): ReplayItem | string {
  if (judgement.kind !== 'passes') return whyNot(judgement)
  const { record } = judgement
  const headers = [...record.headers, { name: HEADER.replayOf, value: nameOf(letter) }]
  return { letter, record: { ...record, headers } }
}

function settledNote(run: string, batch: readonly ReplayItem[], results: readonly SendResult[]): Note {
  const ends = batch.map(({ letter: { offset } }, index) => ({ offset, result: results[index] }))
  return {
    kind: 'settled',
    run,
    delivered: ends.flatMap(({ offset, result }) =>
      result?.kind === 'delivered' ? [{ offset, receipt: result.receipt }] : [],
    ),
    released: ends.flatMap(({ offset, result }) =>
      result?.kind === 'failed' || result?.kind === 'unsent' ? [offset] : [],
    ),
  }
}

/** The present ends of the topics of a batch: its records can only come after them. */
async function endsFor(log: RecordLog, batch: readonly ReplayItem[]): Promise<Position[]> {
  const topics = new Set(batch.map(({ record }) => record.target.topic))
  return (await log.partitions())
    .filter(({ topic }) => topics.has(topic))
    .map(({ topic, partition, end }) => ({ topic, partition, offset: end }))
}
