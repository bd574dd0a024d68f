import type { PipelineConfig } from '../config/schema.js'
import type { Attempt, PostCommit } from '../contract/index.js'
import type { AckSource } from '../ledger/ledger.js'
import type { PendingAck } from '../ledger/rows.js'
import { backoffDelay } from '../lib/async.js'
import { Rate } from '../lib/rate.js'
import { LONGEST_TIMER, milliseconds } from '../lib/units.js'
import { ATTEMPT_OUTCOMES, METRICS } from '../metrics/table.js'
import type { StageRef } from './decision.js'
import { correlationFields } from './event-log.js'
import { type Observer, observePostCommit, type TryAcknowledge } from './observe.js'
import type { Tap } from './taps.js'

/** A post-commit stage, with everything that its acknowledger needs. */
export interface AcknowledgedStage {
  readonly index: number
  readonly ref: StageRef
  readonly observer: Observer
  readonly instance: Pick<PostCommit, 'acknowledge'>
  readonly ledger: AckSource
  /** Retries, rate and concurrency. */
  readonly settings: PipelineConfig['postCommit'][number]
  /** Told of each attempt. */
  readonly taps: ReadonlySet<Tap>
}

/** An acknowledger as it is now. */
export interface AcknowledgerState {
  /** Attempts under way. */
  readonly active: number
  /** The pipeline is paused. */
  readonly isHeld: boolean
  /** The sender does not respond: only trials are made. */
  readonly isDown: boolean
  /** Attempts a second that are allowed; undefined if there is no limit. */
  readonly limit: number | undefined
  /** Milliseconds of a pause that the sender has asked for. */
  readonly pausedFor: number
}

/** The delays between the attempts of one acknowledgement, in milliseconds. */
export interface RetrySettings {
  /** The longest delay before the first retry. */
  readonly initial: number
  /** The longest delay, unless the sender asks for a longer one. */
  readonly max: number
  /** Counted from the commit of the event. An attempt that fails later is the last one. */
  readonly deadline: number
}

/** The delay before the next attempt: with full jitter, and never less than the sender asked for. */
export const retryDelay = (
  { initial, max }: RetrySettings,
  attempts: number,
  asked = 0,
  random = Math.random,
): number => asked + Math.ceil(backoffDelay({ initial, max, jitter: 1 }, attempts, random))

type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number]

/** Milliseconds. A drain waits for acknowledgements that are due within this time. */
const SOON = 2000
/**
 * Milliseconds that the first acknowledgement waits for others: a sender that receives several at once also responds to
 * several at once, and waking up for each response costs more than the acknowledgement. No sender waits meanwhile: the event
 * has its response.
 */
const GATHER_MS = 10
/** A batch of this size does not wait for more: its acknowledgements take no longer than a tick with events. */
const FULL_BATCH = 32
/**
 * The share of the concurrency that retries may use. A retry that hangs occupies its slot until it times out, and new
 * acknowledgements must not wait for that.
 */
const RETRY_SHARE = 3 / 4

/**
 * Makes the pending acknowledgements of a post-commit stage, within the limits on concurrency and rate. It runs apart from
 * the path of the events and never delays it. Acknowledgements that keep failing do not delay new ones: the ledger returns
 * new ones first (`ledger.take`), and retries may not use all slots.
 */
export class Acknowledger {
  readonly #index: number
  readonly #ledger: AckSource
  readonly #attempt: TryAcknowledge
  readonly #report: ReturnType<typeof createReport>
  readonly #rate: Rate
  readonly #retry: RetrySettings
  readonly #concurrency: number
  readonly #maxRetries: number
  readonly #taps: ReadonlySet<Tap>
  readonly #ref: StageRef
  #state: 'idle' | 'running' | 'held' | 'stopped' = 'idle'
  /** Attempts under way. */
  #active = 0
  /** Those of them that are retries. */
  #activeRetries = 0
  #timer: NodeJS.Timeout | undefined
  /** Acknowledgements that were added since the last pump. */
  #gathered = 0
  #onQuiet: (() => void) | undefined
  #onIdle: (() => void) | undefined

  constructor({ index, ref, observer, instance, ledger, settings, taps }: AcknowledgedStage) {
    const { concurrency, rate, retry } = settings
    this.#index = index
    this.#ref = ref
    this.#taps = taps
    this.#ledger = ledger
    this.#attempt = observePostCommit(ref, instance, observer)
    this.#report = createReport(ref, observer, ledger)
    this.#rate = new Rate(rate)
    this.#retry = {
      initial: milliseconds(retry.initial),
      max: milliseconds(retry.max),
      deadline: milliseconds(retry.deadline),
    }
    this.#concurrency = concurrency
    this.#maxRetries = Math.max(1, Math.floor(concurrency * RETRY_SHARE))
  }

  /** `held`: as for `hold`. */
  start(held = false): void {
    this.#state = held ? 'held' : 'running'
    this.#ledger.onAdded(this.#index, () => this.#onAdded())
    this.#pumpSoon()
  }

  /** While it is held, it makes no attempt. */
  hold(held: boolean): void {
    if (this.#state === (held ? 'running' : 'held')) this.#state = held ? 'held' : 'running'
    this.#pumpSoon()
  }

  /** For operators. */
  state(): AcknowledgerState {
    const now = performance.now()
    return {
      active: this.#active,
      isHeld: this.#state === 'held',
      isDown: this.#rate.isDown(now),
      limit: this.#rate.limit(now),
      pausedFor: this.#rate.pausedFor(now),
    }
  }

  /**
   * Goes on until no acknowledgement is due, now or soon, or `signal` is aborted; then it makes no further attempt.
   * Acknowledgements that the sender wants later, and all of them if the sender is down, stay in the ledger until the next
   * start.
   */
  async drain(signal: AbortSignal): Promise<void> {
    if (this.#state === 'running') {
      do {
        await this.#quiet(signal)
        if (!signal.aborted) await this.#ledger.refill()
      } while (!signal.aborted && !this.#isQuiet())
    }
    this.#end()
  }

  /** Makes no further attempt; resolves when those under way have been settled. */
  async stop(): Promise<void> {
    this.#end()
    if (this.#active > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
  }

  #end(): void {
    this.#state = 'stopped'
    clearTimeout(this.#timer)
  }

  #onAdded(): void {
    if (this.#state !== 'running') return
    this.#gathered++
    if (this.#gathered === 1) this.#pumpIn(GATHER_MS)
    // At the end of the tick: the sender receives the responses to its events before their acknowledgements.
    else if (this.#gathered === FULL_BATCH) this.#pumpSoon()
  }

  #pumpSoon(): void {
    setImmediate(() => this.#pump())
  }

  #pumpIn(delay: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#pump(), Math.min(delay, LONGEST_TIMER))
  }

  /** Begins every attempt that is due and allowed. */
  #pump(): void {
    this.#gathered = 0
    clearTimeout(this.#timer)
    while (this.#state === 'running' && this.#active < this.#concurrency) {
      const delay = this.#untilNext()
      if (delay === undefined) break
      if (delay > 0) {
        this.#pumpIn(delay)
        break
      }
      const pending = this.#ledger.take(this.#index, this.#ledger.now(), this.#newOnly())
      if (pending === undefined) break
      this.#rate.take(performance.now())
      void this.#run(pending)
    }
    if (this.#onQuiet !== undefined && this.#isQuiet()) this.#onQuiet()
  }

  /** Milliseconds; undefined if no acknowledgement is pending. */
  #untilNext(): number | undefined {
    const dueAt = this.#ledger.dueAt(this.#index, this.#newOnly())
    return dueAt === undefined
      ? undefined
      : Math.max(dueAt - this.#ledger.now(), this.#rate.wait(performance.now()))
  }

  /** Whether retries use all the slots that they may use. */
  #newOnly(): boolean {
    return this.#activeRetries >= this.#maxRetries
  }

  #isQuiet(): boolean {
    if (this.#active > 0) return false
    return this.#rate.isDown(performance.now()) || (this.#untilNext() ?? Number.POSITIVE_INFINITY) > SOON
  }

  #quiet(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => resolve()
      if (signal.aborted) return done()
      this.#onQuiet = () => {
        signal.removeEventListener('abort', done)
        done()
      }
      signal.addEventListener('abort', done, { once: true })
      this.#pumpSoon()
    })
  }

  async #run(pending: PendingAck): Promise<void> {
    const isRetry = pending.attempts > 0
    this.#active++
    if (isRetry) this.#activeRetries++
    const startedAt = performance.now()
    const attempt = await this.#attempt(pending.committed)
    const wasFull = this.#active === this.#concurrency || (isRetry && this.#newOnly())
    this.#active--
    if (isRetry) this.#activeRetries--
    const outcome = this.#settle(pending, attempt)
    this.#report(pending, outcome, attempt)
    if (this.#taps.size > 0) this.#tellTaps(pending, outcome, attempt, performance.now() - startedAt)
    if (this.#active === 0) this.#onIdle?.()
    // At once if others wait for the slot: by the end of the tick, the connection would have been idle for a whole tick,
    // which made acknowledgements fall behind under load.
    if (wasFull || this.#gathered === 0) this.#pump()
  }

  #tellTaps(
    { committed: { id } }: PendingAck,
    outcome: AttemptOutcome,
    attempt: Attempt,
    took: number,
  ): void {
    const { pipeline, stage } = this.#ref
    const error = 'error' in attempt ? attempt.error : undefined
    for (const tap of this.#taps) tap.attempted({ pipeline, stage, id, outcome, error, at: Date.now(), took })
  }

  #settle(pending: PendingAck, attempt: Attempt): AttemptOutcome {
    if (attempt.kind !== 'retry') this.#rate.responded(performance.now())
    if (attempt.kind === 'acknowledged') {
      this.#ledger.acknowledged(pending)
      return 'acknowledged'
    }
    if (attempt.kind === 'retry') {
      if (attempt.throttled && this.#throttlesAll(pending))
        this.#rate.throttle(performance.now(), attempt.after ?? 0)
      else this.#rate.failed()
      const dueAt = this.#ledger.now() + retryDelay(this.#retry, pending.attempts, attempt.after)
      if (dueAt - pending.committedAt <= this.#retry.deadline) {
        this.#ledger.retry(pending, dueAt)
        return 'retry'
      }
    }
    const { code, message } = attempt.error
    this.#ledger.failed(pending, { code, message })
    return 'gave-up'
  }

  /** If the sender throttles one event again and accepts others meanwhile, only that event has to wait. */
  #throttlesAll({ attempts }: PendingAck): boolean {
    return attempts === 0 || !this.#rate.respondedSinceThrottle()
  }
}

/** Counts each attempt, and logs the acknowledgements that failed for good. */
function createReport({ pipeline }: StageRef, { metrics, log }: Observer, ledger: AckSource) {
  const counterOf = (outcome: AttemptOutcome) =>
    metrics.counter(METRICS.ackAttemptsTotal, { pipeline, outcome })
  const counters = new Map(ATTEMPT_OUTCOMES.map((outcome) => [outcome, counterOf(outcome)]))
  const duration = metrics.histogram(METRICS.ackDurationSeconds, { pipeline })
  return (
    { committed, committedAt, attempts }: PendingAck,
    outcome: AttemptOutcome,
    attempt: Attempt,
  ): void => {
    counters.get(outcome)?.inc()
    if (outcome === 'acknowledged') duration.observe(Math.max(0, ledger.now() - committedAt) / 1000)
    if (outcome !== 'gave-up' || !('error' in attempt)) return
    const fields = { ...correlationFields(committed), ...committed.receipt, code: 'HG_ACK_GAVE_UP' }
    log.error(
      { ...fields, attempts: attempts + 1 },
      `the event is in Kafka and will not be acknowledged: ${attempt.error.message}`,
    )
  }
}
