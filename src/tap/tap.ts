import { asHeadgateError, type HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { Rate } from '../lib/rate.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import type { Tap } from '../pipeline/watched.js'
import {
  eventLine,
  fits,
  fitsRule,
  looksAtBody,
  type Passed,
  type TapFilter,
  type TapLine,
  type TapView,
} from './lines.js'

/** What somebody wants to see. */
export interface TapWish {
  readonly filter: TapFilter
  readonly view: TapView
  /** The pipelines that this is about now; of those to come, the filter says. */
  readonly pipelines: readonly string[]
  /** Events a second at most. */
  readonly rate: number
  /** Events after which it ends. */
  readonly limit: number | undefined
  /** Milliseconds after which it ends. */
  readonly within: number | undefined
}

/** Where the lines go. */
export interface TapReader {
  /** False where it wants no more for now; `TapHandle.flow` says when it does. */
  write(text: string): boolean
  end(): void
  /** At once: it does not take what is written. */
  drop(): void
}

interface TapHandle extends Tap {
  /** The reader takes more again. */
  flow(): void
  end(why: Extract<TapLine, { kind: 'end' }>['why']): void
  /** The reader is gone. */
  leave(): void
}

interface TapSurroundings {
  secrets(): ReadonlyMap<string, string>
  skipped(): void
  failed(error: HeadgateError): void
  onEnd(): void
}

/** All in milliseconds. */
const LOOK_EVERY = 1000
const IDLE_AFTER = 15_000
const STUCK_AFTER = 30_000
/** Bytes of a body that are looked through for the price of one event: bodies of 1 MiB would cost others their time. */
const PRICE = 32 * 1024

/**
 * Shows one reader the events that pass. Nothing waits for the reader, and nothing is kept for it: what does not fit into
 * the rate, or comes while it does not read, is counted.
 */
export function startTap(wish: TapWish, reader: TapReader, around: TapSurroundings): TapHandle {
  const { filter, view } = wish
  const rate = new Rate(wish.rate)
  let left = wish.limit ?? Number.POSITIVE_INFINITY
  let skipped = 0
  let ended = false
  let lastLine = performance.now()
  let stuckSince: number | undefined

  const write = (line: TapLine): void => {
    lastLine = performance.now()
    if (!reader.write(`${JSON.stringify(line)}\n`)) stuckSince ??= lastLine
  }
  const saySkipped = (): void => {
    if (skipped > 0) write({ kind: 'skipped', count: skipped })
    skipped = 0
  }
  const leave = (): void => {
    if (ended) return
    ended = true
    clearInterval(looking)
    clearTimeout(timer)
    around.onEnd()
  }
  const end: TapHandle['end'] = (why) => {
    if (ended) return
    leave()
    saySkipped()
    write({ kind: 'end', why })
    reader.end()
  }
  const looking = setInterval(() => {
    const now = performance.now()
    if (stuckSince !== undefined) {
      if (now - stuckSince < STUCK_AFTER) return
      leave()
      reader.drop()
    } else if (skipped > 0) saySkipped()
    else if (now - lastLine >= IDLE_AFTER) write({ kind: 'idle' })
  }, LOOK_EVERY).unref()
  const timer = wish.within === undefined ? undefined : setTimeout(() => end('time'), wish.within).unref()

  const skip = (): void => {
    skipped++
    around.skipped()
  }
  const mayShow = (passed: Passed): boolean => {
    const now = performance.now()
    if (stuckSince !== undefined || rate.wait(now) > 0) return false
    const bytes = looksAtBody(passed, view) ? (passed.event?.body.bytes.length ?? 0) : 0
    for (let price = 0; price <= bytes; price += PRICE) rate.take(now)
    return true
  }
  const show = (passed: Passed, rule: string | undefined): void => {
    if (ended || !fitsRule(filter, rule)) return
    if (stuckSince !== undefined) skip()
    else {
      write(eventLine(passed, rule, view, around.secrets()))
      if (--left === 0) end('limit')
    }
  }
  const fail = (thrown: unknown): void => {
    if (!ended) around.failed(asHeadgateError(thrown, 'Showing an event'))
    end('failed')
  }

  write({ kind: 'tapping', pipelines: wish.pipelines, rate: wish.rate })
  return {
    offer(passed) {
      try {
        const { rule, askRule } = passed
        if (ended || !fits(filter, passed) || (askRule === undefined && !fitsRule(filter, rule))) return
        // To ask has its price too, whatever the answer: else a stage would be asked of every event that it drops.
        if (!mayShow(passed)) skip()
        else if (askRule === undefined) show(passed, rule)
        else
          askRule()
            .then((asked) => show(passed, asked ?? rule))
            .catch(fail)
      } catch (thrown) {
        fail(thrown)
      }
    },
    flow() {
      stuckSince = undefined
    },
    end,
    leave,
  }
}

/** So many at once: each costs every event that passes a look at its filter. */
export const MOST_TAPS = 8

/** Who looks on at the pipelines of this process, whatever config they are under. */
export interface Taps {
  /** Those that are on now; pipelines look whether there are any. */
  readonly running: ReadonlySet<Tap>
  full(): boolean
  /** Undefined where there are as many as there may be. */
  start(wish: TapWish, reader: TapReader): TapHandle | undefined
  /** Ends all of them: Headgate stops. */
  close(): void
}

interface TapsOptions {
  readonly metrics: MetricsRegistry
  readonly log: Log
  /** Values that must not be shown, and the references that are shown for them. */
  secrets(): ReadonlyMap<string, string>
}

export function createTaps({ metrics, log, secrets }: TapsOptions): Taps {
  const running = new Set<TapHandle>()
  metrics.sampled(METRICS.tapSubscribers, {}, () => running.size)
  const skipped = metrics.counter(METRICS.tapSkippedTotal, {})
  const full = () => running.size >= MOST_TAPS
  return {
    running,
    full,
    start(wish, reader) {
      if (full()) return undefined
      const { pipelines, outcomes, routes, codes } = wish.filter
      const said = { event: 'tap', pipelines, outcomes, routes, codes, payload: wish.view.payload }
      log.info(said, 'events are shown to somebody who taps')
      const tap: TapHandle = startTap(wish, reader, {
        secrets,
        skipped: () => skipped.inc(),
        failed: ({ code, message, cause }) => log.error({ code, err: cause }, message),
        onEnd() {
          running.delete(tap)
          log.info({ event: 'tap' }, 'a tap has ended')
        },
      })
      running.add(tap)
      return tap
    },
    close() {
      for (const tap of running) tap.end('stopping')
    },
  }
}
