import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { exchange } from './connection.js'
import { type Connection, Connections } from './connections.js'
import type { LoadOrder } from './load-order.js'
import type { Pace } from './pacer.js'
import { eventsOf } from './requests.js'
import { clock, createSchedule } from './schedule.js'
import { createTally, type Tally } from './tally.js'

/** Milliseconds until the first event is due. */
const LEAD = 10

/**
 * Events go out by schedule, whether or not the earlier ones have their responses, and latency counts from the time
 * at which an event was due: a program that stalls is charged for every event that would have waited, not only for
 * those that it had already accepted.
 */
export async function openLoop(
  order: LoadOrder & { readonly rate: number },
  started: (tally: Tally) => void,
): Promise<Tally> {
  const { rate, seconds } = order
  const connections = await Connections.open(order)
  const waiting: number[] = []
  const pacer = new Worker(new URL('pacer.js', import.meta.url))
  await once(pacer, 'message')
  const each = eventsOf(order.requests)
  const schedule = createSchedule(clock() + LEAD, rate / each, seconds)
  const tally = createTally(each)
  started(tally)
  let sent = 0
  let open = 0
  let ended = (): void => {}
  let failed = (_: unknown): void => {}
  const end = new Promise<void>((resolve, reject) => {
    ended = resolve
    failed = reject
  })

  async function send(connection: Connection, number: number): Promise<void> {
    const status = await exchange(connection.socket, connection.requests.next(number), each)
    tally.answered(status, clock() - schedule.dueAt(number))
    open--
    give(connection)
    if (open === 0 && sent === schedule.count) ended()
  }
  function give(connection: Connection): void {
    const next = waiting.shift()
    if (next === undefined) connections.put(connection)
    else send(connection, next).catch(failed)
  }
  function start(number: number): void {
    open++
    const connection = connections.take()
    if (connection !== undefined) {
      send(connection, number).catch(failed)
      return
    }
    tally.queued()
    waiting.push(number)
    connections.grow()?.then(give, failed)
  }

  pacer.on('error', failed).on('message', () => {
    const now = clock()
    for (const due = schedule.dueBy(now); sent < due; sent++) {
      tally.late(now - schedule.dueAt(sent))
      start(sent)
    }
  })
  const paced = once(pacer, 'exit')
  const { tick, dueAt, count } = schedule
  pacer.postMessage({ start: dueAt(0), end: dueAt(count), tick } satisfies Pace)
  await end
  await paced
  connections.destroy()
  return tally
}
