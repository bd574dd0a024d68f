import { setTimeout as delay } from 'node:timers/promises'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { Receipt, SinkRecord } from '../contract/index.js'
import { endsWithin } from '../lib/async.js'
import type { Rate } from '../lib/rate.js'
import type { DeadLetter } from './letter.js'

/** A dead letter and the record made of it. */
export interface ReplayItem {
  readonly letter: DeadLetter
  readonly record: SinkRecord
}

export type SendResult =
  | { readonly kind: 'delivered'; readonly receipt: Receipt }
  /** The record is certainly not in the log. */
  | { readonly kind: 'failed'; readonly error: HeadgateError }
  | { readonly kind: 'in-doubt'; readonly error: HeadgateError }
  | { readonly kind: 'unsent' }

export interface SendOptions {
  send(record: SinkRecord): Promise<Receipt>
  /** On the clock of `performance.now`: from then on nothing may be in flight. */
  readonly deadline: number
  readonly rate: Rate
  /** Aborted when nothing more is to be sent; records in flight are waited for. */
  readonly signal: AbortSignal
  /** Cancels the records in flight, so that they cannot arrive later. */
  giveUp(): Promise<void>
  /** Milliseconds for `giveUp`; records that it has not cancelled by then are in doubt. */
  readonly giveUpWithin: number
  onDelivered(): void
}

/**
 * Sends these, one after the other, until one fails for the infrastructure. Resolves with the result of each when nothing is
 * in flight any more, or when the time for that is over; `gaveUp` if records had to be given up.
 */
export async function sendBatch(
  items: readonly ReplayItem[],
  options: SendOptions,
): Promise<{ readonly results: readonly SendResult[]; readonly gaveUp: boolean }> {
  const { deadline, rate, signal, giveUp, giveUpWithin, onDelivered } = options
  const begunAt = performance.now()
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])

  async function send({ record }: ReplayItem): Promise<SendResult> {
    try {
      const receipt = await options.send(record)
      onDelivered()
      return { kind: 'delivered', receipt }
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The sink')
      if (error.kind !== 'data') failed.abort()
      // Any other error does not tell whether the record was written.
      const certain = !error.uncertain && error.code !== 'HG_PLUGIN_FAILED'
      return { kind: certain ? 'failed' : 'in-doubt', error }
    }
  }

  const results: (SendResult | undefined)[] = []
  const sending: Promise<void>[] = []
  for (const [index, item] of items.entries()) {
    const wait = rate.wait(performance.now())
    if (wait > 0)
      await delay(Math.min(wait, deadline - performance.now()), undefined, { signal: stop }).catch(ignore)
    if (stop.aborted || performance.now() >= deadline) break
    rate.take(performance.now())
    const done = send(item).then((result) => {
      results[index] = result
    })
    sending.push(done)
  }
  const all = Promise.all(sending)
  const gaveUp = !(await endsWithin(all, deadline - performance.now()))
  if (gaveUp) await endsWithin(Promise.all([giveUp(), all]), giveUpWithin)
  const seconds = Math.round(performance.now() - begunAt) / 1000
  const resultOf = (index: number): SendResult =>
    results[index] ?? (index < sending.length ? inDoubt(seconds) : { kind: 'unsent' })
  return { results: items.map((_, index) => resultOf(index)), gaveUp }
}

const inDoubt = (seconds: number): SendResult => ({
  kind: 'in-doubt',
  error: new HeadgateError(
    'HG_KAFKA_NOT_DELIVERED',
    `The sink has neither confirmed the record nor given it up within ${seconds} s.`,
    { uncertain: true },
  ),
})

const ignore = (): void => {}
