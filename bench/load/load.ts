/**
 * The load generator, a process of its own. It must not be the bottleneck, so it writes prepared bytes to sockets and
 * reads only the necessary part of a response. It takes one order after the other, and reports its progress
 * meanwhile.
 */
import { serveRequests } from '../programs/child.js'
import { closedLoop } from './closed-loop.js'
import type { LoadOrder, LoadResult } from './load-order.js'
import { openLoop } from './open-loop.js'
import type { Tally } from './tally.js'

export type LoadAsk = { readonly order: LoadOrder } | 'delivered'

let running: Tally | undefined

serveRequests<LoadAsk>((ask) => (ask === 'delivered' ? (running?.delivered() ?? 0) : load(ask.order)))

async function load(order: LoadOrder): Promise<LoadResult> {
  const started = (tally: Tally) => {
    running = tally
  }
  const { rate } = order
  const tally =
    rate === undefined ? await closedLoop(order, started) : await openLoop({ ...order, rate }, started)
  running = undefined
  return tally.result()
}
