import { requestsTo, startChild, stopChild } from '../programs/child.js'
import type { LoadAsk } from './load.js'
import type { LoadOrder, LoadResult } from './load-order.js'

/** The load generator, in a process of its own. */
export interface Generator {
  run(order: LoadOrder): Promise<LoadResult>
  /** Responses with 200 so far, for the current order. */
  delivered(): Promise<number>
  stop(): Promise<void>
}

export function startGenerator(): Generator {
  const child = startChild(new URL('load.js', import.meta.url))
  const { ask } = requestsTo<LoadAsk>(child)
  return {
    run: (order) => ask({ order }),
    delivered: () => ask('delivered'),
    stop: () => stopChild(child),
  }
}
