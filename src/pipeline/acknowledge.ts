import type { Attempt, Committed } from '../contract/index.js'
import type { Ledger } from '../ledger/ledger.js'
import type { PendingAck } from '../ledger/rows.js'
import { Rate } from '../lib/rate.js'
import { LONGEST_TIMER } from '../lib/units.js'
import { type RetrySettings, retryDelay } from './retry.js'

export interface AcknowledgeSettings {
  readonly retry: RetrySettings
  /** Attempts under way at once. */
  readonly concurrency: number
  /** Attempts a second at most; undefined for no limit but the sender's own. */
  readonly rate: number | undefined
}

/** What became of an attempt, for counting and logging. */
export type AttemptOutcome = 'acknowledged' | 'retry' | 'gave-up'

export interface AcknowledgeStage {
  readonly index: number
  readonly settings: AcknowledgeSettings
  readonly ledger: Ledger
  /** One attempt; never rejects. */
  attempt(committed: Committed): Promise<Attempt>
  /** Called once for each attempt, after the ledger knows. */
  settled(pending: PendingAck, outcome: AttemptOutcome, attempt: Attempt): void
}

export interface Acknowledger {
  /** `held`: as `hold` makes it. */
  start(held?: boolean): void
  /** True: makes no further attempt until it is told otherwise. */
  hold(held: boolean): void
  /**
   * Goes on until nothing is due at this stage any more, now or soon, or `signal` is aborted; then makes no further
   * attempt. What a sender asked us to try later, or is down for, is tried after the next start: nobody waits for that.
   */
  drain(signal: AbortSignal): Promise<void>
  /** Makes no further attempt from now on; resolves when those under way have been settled. */
  stop(): Promise<void>
}

/** Milliseconds from now: what is due within them is waited for when everything stops. */
const SOON = 2000

/**
 * Milliseconds that the first acknowledgement waits for others: a sender that is told of several at once also answers several
 * at once, and to wake up for each of them costs more than they do. Nobody waits for it: the event has been answered.
 */
const GATHER_MS = 10
/**
 * The share of all places that acknowledgements may have that failed before: each of those that hang keeps its place until
 * its time is over, and the rest must not wait for that.
 */
const FAILED_SHARE = 3 / 4
/** So many do not wait for more. Together they take no longer than a turn with events. */
const ENOUGH = 32

/**
 * Works off what the ledger owes a post-commit stage: so many at once, so many a second. Runs beside the path of the events
 * and never holds it up. What was never tried is not held up by what keeps failing: in the queue (`ledger.take`), and here in
 * the places.
 */
export function createAcknowledger(stage: AcknowledgeStage): Acknowledger {
  const { index, ledger, settings } = stage
  const rate = new Rate(settings.rate)
  let state: 'idle' | 'running' | 'held' | 'stopped' = 'idle'
  const failedPlaces = Math.max(1, Math.floor(settings.concurrency * FAILED_SHARE))
  let active = 0
  /** Of these, those that failed before. */
  let activeFailed = 0
  let timer: NodeJS.Timeout | undefined
  /** Owed since the last look at what is due. */
  let gathered = 0
  let onQuiet: (() => void) | undefined
  let onIdle: (() => void) | undefined

  const added = (): void => {
    if (state !== 'running') return
    gathered++
    if (gathered === 1) pumpIn(GATHER_MS)
    // When the turn is over: the sender gets its answers before their acknowledgements are tried.
    else if (gathered === ENOUGH) setImmediate(pump)
  }
  const pumpIn = (wait: number): void => {
    clearTimeout(timer)
    timer = setTimeout(pump, Math.min(wait, LONGEST_TIMER))
  }
  const pump = (): void => {
    gathered = 0
    clearTimeout(timer)
    while (state === 'running' && active < settings.concurrency) {
      const wait = waitForNext()
      if (wait === undefined) break
      if (wait > 0) {
        pumpIn(wait)
        break
      }
      const pending = ledger.take(index, ledger.now(), untriedOnly())
      if (pending === undefined) break
      rate.take(performance.now())
      void attempt(pending)
    }
    if (onQuiet !== undefined && isQuiet()) onQuiet()
  }
  const untriedOnly = (): boolean => activeFailed >= failedPlaces
  const isQuiet = (): boolean =>
    active === 0 && (rate.isDown(performance.now()) || (waitForNext() ?? Number.POSITIVE_INFINITY) > SOON)
  const waitForNext = (): number | undefined => {
    const dueAt = ledger.dueAt(index, untriedOnly())
    return dueAt === undefined ? undefined : Math.max(dueAt - ledger.now(), rate.wait(performance.now()))
  }
  const quiet = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = () => resolve()
      if (signal.aborted) return done()
      onQuiet = () => {
        signal.removeEventListener('abort', done)
        done()
      }
      signal.addEventListener('abort', done, { once: true })
      setImmediate(pump)
    })
  const attempt = async (pending: PendingAck): Promise<void> => {
    const failedBefore = pending.attempts > 0
    active++
    if (failedBefore) activeFailed++
    const result = await stage.attempt(pending.committed)
    const full = active-- === settings.concurrency || (failedBefore && untriedOnly())
    if (failedBefore) activeFailed--
    stage.settled(pending, settle(pending, result), result)
    if (active === 0) onIdle?.()
    // At once where others wait for its place: by the end of a turn its connection would have been idle for as long as a turn
    // takes, which under load made acknowledgements fall behind.
    if (full || gathered === 0) pump()
  }
  /** An event that is throttled again, while others are acknowledged, is throttled for itself. */
  const slowsAll = ({ attempts }: PendingAck): boolean => attempts === 0 || !rate.answeredSinceThrottle()
  const settle = (pending: PendingAck, result: Attempt): AttemptOutcome => {
    if (result.kind !== 'retry') rate.answered(performance.now())
    if (result.kind === 'acknowledged') {
      ledger.acknowledged(pending)
      return 'acknowledged'
    }
    if (result.kind === 'retry') {
      if (result.throttled && slowsAll(pending)) rate.throttle(performance.now(), result.after ?? 0)
      else rate.failed()
      const dueAt = ledger.now() + retryDelay(settings.retry, pending.attempts, result.after)
      if (dueAt - pending.committedAt <= settings.retry.deadline) {
        ledger.retry(pending, dueAt)
        return 'retry'
      }
    }
    const { code, message } = result.error
    ledger.failed(pending, { code, message })
    return 'gave-up'
  }

  return {
    start(held = false) {
      state = held ? 'held' : 'running'
      ledger.onAdded(index, added)
      setImmediate(pump)
    },
    hold(held) {
      if (state === (held ? 'running' : 'held')) state = held ? 'held' : 'running'
      setImmediate(pump)
    },
    async drain(signal) {
      if (state === 'running') {
        do {
          await quiet(signal)
          if (!signal.aborted) await ledger.refill()
        } while (!signal.aborted && !isQuiet())
      }
      state = 'stopped'
      clearTimeout(timer)
    },
    async stop() {
      state = 'stopped'
      clearTimeout(timer)
      if (active > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve
        })
      }
    },
  }
}
