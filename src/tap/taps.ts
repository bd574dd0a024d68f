import type { Log } from '../contract/index.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import type { Tap } from '../pipeline/watched.js'
import { startTap, type TapHandle, type TapReader, type TapWish } from './tap.js'

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

export interface TapsOptions {
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
