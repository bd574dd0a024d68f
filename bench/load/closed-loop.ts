import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { exchange, openConnection, portOf } from './connection.js'
import type { LoadOrder } from './load-order.js'
import { eventsOf, prepareRequests } from './requests.js'
import { createTally, type Tally } from './tally.js'

/** Milliseconds. */
const PAUSE_AFTER_REFUSAL = 20

/**
 * A fixed number of requests in flight, each on a connection of its own, as fast as the program responds: its maximum
 * throughput.
 */
export async function closedLoop(order: LoadOrder, started: (tally: Tally) => void): Promise<Tally> {
  const { ports, connections, seconds, events = Number.POSITIVE_INFINITY } = order
  const sockets = await Promise.all(
    Array.from({ length: connections }, (_, index) => openConnection(portOf(ports, index))),
  )
  const requests = sockets.map((_, index) => prepareRequests(order, index))
  const each = eventsOf(order.requests)
  const tally = createTally(each)
  started(tally)
  const end = performance.now() + seconds * 1000
  let sent = 0

  async function keepSending(socket: Socket, index: number): Promise<void> {
    while (sent * each < events && performance.now() < end) {
      const request = requests[index]?.next(sent++)
      if (request === undefined) return
      const before = performance.now()
      const status = await exchange(socket, request, each)
      tally.answered(status, performance.now() - before)
      if (status !== '200') await delay(PAUSE_AFTER_REFUSAL)
    }
  }

  await Promise.all(sockets.map(keepSending))
  for (const socket of sockets) socket.destroy()
  return tally
}
