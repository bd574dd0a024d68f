import { setTimeout as delay } from 'node:timers/promises'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { Receipt, SinkRecord } from '../contract/index.js'
import type { Rate } from '../lib/rate.js'
import type { DeadLetter } from './letter.js'

/** A dead letter and the record that it has become. */
export interface Item {
  readonly letter: DeadLetter
  readonly record: SinkRecord
}

export type Sent =
  | { readonly kind: 'delivered'; readonly receipt: Receipt }
  /** It is certainly not in the log. */
  | { readonly kind: 'failed'; readonly error: HeadgateError }
  | { readonly kind: 'in-doubt'; readonly error: HeadgateError }
  /** Not tried. */
  | { readonly kind: 'unsent' }

export interface SendOptions {
  send(record: SinkRecord): Promise<Receipt>
  /** When it is over, on the clock of `performance.now`: nothing may be on its way then. */
  readonly deadline: number
  readonly rate: Rate
  /** Aborted when no more is to be sent; what is on its way is waited for. */
  readonly signal: AbortSignal
  /** Takes back what is on its way, so that it cannot arrive later. */
  giveUp(): Promise<void>
  /** Milliseconds for `giveUp`; what it has not taken back by then is in doubt. */
  readonly giveUpWithin: number
  onDelivered(): void
}

/**
 * Sends these, one after the other, until one meets a fault of ours. Resolves with what became of each, when nothing is on
 * its way any more or the time for that is over; `gaveUp` if that needed force.
 */
export async function sendBatch(
  items: readonly Item[],
  options: SendOptions,
): Promise<{ readonly sent: readonly Sent[]; readonly gaveUp: boolean }> {
  const { deadline, rate, signal, giveUp, giveUpWithin, onDelivered } = options
  const begunAt = performance.now()
  const faulty = new AbortController()
  const stop = AbortSignal.any([signal, faulty.signal])

  async function send({ record }: Item): Promise<Sent> {
    try {
      const receipt = await options.send(record)
      onDelivered()
      return { kind: 'delivered', receipt }
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The sink')
      if (error.kind !== 'data') faulty.abort()
      // What a plugin throws that is not an error of ours says nothing about the record.
      const certain = !error.uncertain && error.code !== 'HG_PLUGIN_FAILED'
      return { kind: certain ? 'failed' : 'in-doubt', error }
    }
  }

  const sent: (Sent | undefined)[] = []
  const sending: Promise<void>[] = []
  for (const [index, item] of items.entries()) {
    const wait = rate.wait(performance.now())
    if (wait > 0)
      await delay(Math.min(wait, deadline - performance.now()), undefined, { signal: stop }).catch(ignore)
    if (stop.aborted || performance.now() >= deadline) break
    rate.take(performance.now())
    const ending = send(item).then((end) => {
      sent[index] = end
    })
    sending.push(ending)
  }
  const all = Promise.all(sending)
  const gaveUp = !(await endsWithin(all, deadline - performance.now()))
  if (gaveUp) await endsWithin(Promise.all([giveUp(), all]), giveUpWithin)
  const seconds = Math.round(performance.now() - begunAt) / 1000
  const endOf = (index: number): Sent =>
    sent[index] ?? (index < sending.length ? inDoubt(seconds) : { kind: 'unsent' })
  return { sent: items.map((_, index) => endOf(index)), gaveUp }
}

const inDoubt = (seconds: number): Sent => ({
  kind: 'in-doubt',
  error: new HeadgateError(
    'HG_KAFKA_NOT_DELIVERED',
    `The sink has neither confirmed the record nor given it up within ${seconds} s.`,
    { uncertain: true },
  ),
})

/** Whether a promise is fulfilled within so many milliseconds. Rejects if it does within them. */
export async function endsWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const timer = new AbortController()
  const late = delay(Math.max(0, milliseconds), false, { signal: timer.signal })
  late.catch(ignore)
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    timer.abort()
  }
}

const ignore = (): void => {}
