import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { exchange, openConnection, portOf, prepareRequests, type Requests } from './connection.js'
import type { LoadOrder } from './load-order.js'
import type { Pace } from './pacer.js'
import { clock, createSchedule } from './schedule.js'
import { createTally, type Tally } from './tally.js'

interface Connection {
  readonly socket: Socket
  readonly requests: Requests
}

/** More than Headgate accepts at once by default, and fewer than a process may open. */
const MOST_CONNECTIONS = 600
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
  const { rate, seconds, connections } = order
  const opened = new Set<Socket>()
  let made = 0
  const connect = async (): Promise<Connection> => {
    const requests = prepareRequests(order, opened.size)
    const socket = await openConnection(portOf(order.ports, made++))
    opened.add(socket)
    // After a pause of the whole machine, the other side closes idle connections.
    socket.once('close', () => opened.delete(socket))
    return { socket, requests }
  }
  // The connection that is idle longest is next, so that the other side does not close it.
  const free = await Promise.all(Array.from({ length: connections }, connect))
  let opening = 0
  const waiting: number[] = []
  const pacer = new Worker(new URL('pacer.js', import.meta.url))
  await once(pacer, 'message')
  const schedule = createSchedule(clock() + LEAD, rate, seconds)
  const tally = createTally()
  started(tally)
  let sent = 0
  let open = 0
  let ended = (): void => {}
  let failed = (_: unknown): void => {}
  const end = new Promise<void>((resolve, reject) => {
    ended = resolve
    failed = reject
  })

  async function send(connection: Connection, event: number): Promise<void> {
    const status = await exchange(connection.socket, connection.requests.next(event))
    tally.answered(status, clock() - schedule.dueAt(event))
    open--
    give(connection)
    if (open === 0 && sent === schedule.count) ended()
  }
  /** A connection that is still open. */
  function takeFree(): Connection | undefined {
    for (;;) {
      const connection = free.shift()
      if (!connection?.socket.destroyed) return connection
    }
  }
  function give(connection: Connection): void {
    const next = waiting.shift()
    if (next === undefined) free.push(connection)
    else send(connection, next).catch(failed)
  }
  function start(event: number): void {
    open++
    const connection = takeFree()
    if (connection !== undefined) {
      send(connection, event).catch(failed)
      return
    }
    tally.queued()
    waiting.push(event)
    if (opened.size + opening >= MOST_CONNECTIONS) return
    opening++
    connect()
      .then(give, failed)
      .finally(() => opening--)
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
  for (const socket of opened) socket.destroy()
  return tally
}
