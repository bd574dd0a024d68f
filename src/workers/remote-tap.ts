import { Rate } from '../lib/rate.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import type { AcknowledgementAttempt, CompletedEvent, Tap } from '../pipeline/taps.js'
import {
  type AttemptMadeMessage,
  type CompletedMessage,
  toAttemptMadeMessage,
  toCompletedMessage,
} from './tap-message.js'

/** Questions a second to stages about the rule by which they dropped an event: as many as all taps together show of a pipeline. */
const MOST_QUESTIONS = 800

interface ToTaps {
  /** The primary process reads slowly. */
  isFull(): boolean
  send(message: CompletedMessage | AttemptMadeMessage, parts?: readonly Buffer[]): void
}

/**
 * In a worker: shows the events of its whole pipelines to the taps of the primary process, while there are any. Nothing is buffered for
 * them: further events are only counted.
 */
export class RemoteTap implements Tap {
  /** For the pipelines: itself, or nothing. */
  readonly running = new Set<Tap>()
  readonly #channel: ToTaps
  readonly #skipped: { inc(): void }
  readonly #questions = new Rate(MOST_QUESTIONS)

  constructor(channel: ToTaps, metrics: MetricsRegistry) {
    this.#channel = channel
    this.#skipped = metrics.counter(METRICS.tapSkippedTotal, {})
  }

  watch(watched: boolean): void {
    if (watched) this.running.add(this)
    else this.running.delete(this)
  }

  offer(completed: CompletedEvent): void {
    const { rule, askRule } = completed
    if (askRule === undefined) this.#send(completed, rule)
    else if (this.#mayAsk())
      askRule().then(
        (explained) => this.#send(completed, explained ?? rule),
        () => this.#send(completed, rule),
      )
    else this.#skipped.inc()
  }

  attempted(attempt: AcknowledgementAttempt): void {
    if (!this.#channel.isFull()) this.#channel.send(toAttemptMadeMessage(attempt))
  }

  #send(completed: CompletedEvent, rule: string | undefined): void {
    if (this.#channel.isFull()) {
      this.#skipped.inc()
      return
    }
    const { message, parts } = toCompletedMessage(completed, rule)
    this.#channel.send(message, parts)
  }

  #mayAsk(): boolean {
    const now = performance.now()
    if (this.#questions.wait(now) > 0) return false
    this.#questions.take(now)
    return true
  }
}
