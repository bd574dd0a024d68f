import { setTimeout as delay } from 'node:timers/promises'
import { asHeadgateError, type HeadgateError } from '../contract/errors.js'
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
  onDelivered(): void
}

/**
 * Sends these, one after the other, until one meets a fault of ours. Resolves when nothing is on its way any more, with
 * what became of each; `gaveUp` where that needed force.
 */
export async function sendBatch(
  items: readonly Item[],
  options: SendOptions,
): Promise<{ readonly sent: readonly Sent[]; readonly gaveUp: boolean }> {
  const { deadline, rate, signal, giveUp, onDelivered } = options
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

  const sending: Promise<Sent>[] = []
  for (const item of items) {
    const wait = rate.wait(performance.now())
    if (wait > 0)
      await delay(Math.min(wait, deadline - performance.now()), undefined, { signal: stop }).catch(ignore)
    if (stop.aborted || performance.now() >= deadline) break
    rate.take(performance.now())
    sending.push(send(item))
  }
  const all = Promise.all(sending)
  const timer = new AbortController()
  const late = delay(Math.max(0, deadline - performance.now()), 'late' as const, { signal: timer.signal })
  late.catch(ignore)
  const gaveUp = (await Promise.race([all, late])) === 'late'
  timer.abort()
  if (gaveUp) await giveUp()
  const sent = await all
  return { sent: items.map((_, index) => sent[index] ?? { kind: 'unsent' }), gaveUp }
}

const ignore = (): void => {}
