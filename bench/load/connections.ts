import type { Socket } from 'node:net'
import { openConnection, portOf } from './connection.js'
import type { LoadOrder } from './load-order.js'
import { prepareRequests, type Requests } from './requests.js'

export interface Connection {
  readonly socket: Socket
  readonly requests: Requests
}

/** More than Headgate accepts at once by default, and fewer than a process may open. */
const MOST_CONNECTIONS = 600

/** The connections over which events go out by schedule: more are opened while events wait for one. */
export class Connections {
  readonly #order: LoadOrder
  readonly #open = new Set<Socket>()
  /** The connection that is idle longest is next, so that the other side does not close it. */
  readonly #free: Connection[] = []
  #made = 0
  #opening = 0

  private constructor(order: LoadOrder) {
    this.#order = order
  }

  /** With as many connections as the order says. */
  static async open(order: LoadOrder): Promise<Connections> {
    const connections = new Connections(order)
    const first = Array.from({ length: order.connections }, () => connections.#connect())
    connections.#free.push(...(await Promise.all(first)))
    return connections
  }

  /** One that is free and still open. */
  take(): Connection | undefined {
    for (;;) {
      const connection = this.#free.shift()
      if (!connection?.socket.destroyed) return connection
    }
  }

  put(connection: Connection): void {
    this.#free.push(connection)
  }

  /** Opens one more; undefined if there are enough. */
  grow(): Promise<Connection> | undefined {
    if (this.#open.size + this.#opening >= MOST_CONNECTIONS) return undefined
    this.#opening++
    return this.#connect().finally(() => this.#opening--)
  }

  destroy(): void {
    for (const socket of this.#open) socket.destroy()
  }

  async #connect(): Promise<Connection> {
    const requests = prepareRequests(this.#order, this.#open.size)
    const socket = await openConnection(portOf(this.#order.ports, this.#made++))
    this.#open.add(socket)
    // After a pause of the whole machine, the other side closes idle connections.
    socket.once('close', () => this.#open.delete(socket))
    return { socket, requests }
  }
}
