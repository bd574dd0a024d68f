import type { Socket } from 'node:net'
import { Connection } from './connection.js'

/**
 * Bounds the connections of a listener. If all places are taken, a new one takes the place of the connection that has waited
 * longest without a request under way: first of those whose sender has not proved who it is, then of the others.
 * If none waits, the new one is closed.
 */
export interface ConnectionLimit {
  /** All that are open, also those that have not agreed on TLS yet. */
  readonly open: ReadonlySet<Socket>
  max: number
  /** A connection that has been made. */
  admit(socket: Socket): void
}

export interface LimitEvents {
  /** A new connection was closed at once. */
  onRefused(): void
  /** One that waited was closed for a new one. */
  onEvicted(): void
}

export function createConnectionLimit(max: number, { onRefused, onEvicted }: LimitEvents): ConnectionLimit {
  const open = new Set<Socket>()
  const strangers = new WaitingConnections()
  const senders = new WaitingConnections()
  const limit = {
    open,
    max,
    admit(socket: Socket) {
      // After a request that asked for another protocol, node:http is given its connection again.
      if (open.has(socket)) return
      if (open.size >= limit.max) {
        const longest = strangers.first ?? senders.first
        if (longest === undefined) {
          socket.destroy()
          onRefused()
          return
        }
        longest.waiting?.remove(longest)
        open.delete(longest.below)
        longest.socket.destroy()
        onEvicted()
      }
      const connection = Connection.of(socket)
      open.add(socket)
      strangers.add(connection)
      connection.onIdle = () => (connection.known ? senders : strangers).add(connection)
      socket.once('close', () => {
        open.delete(socket)
        connection.onIdle = undefined
        connection.waiting?.remove(connection)
      })
    },
  }
  return limit
}

/** Those that wait for a request, the longest waiting first. Linked by themselves: each request leaves it and comes back. */
export class WaitingConnections {
  first: Connection | undefined = undefined
  #last: Connection | undefined = undefined

  add(connection: Connection): void {
    connection.waiting = this
    connection.previous = this.#last
    if (this.#last === undefined) this.first = connection
    else this.#last.next = connection
    this.#last = connection
  }

  remove(connection: Connection): void {
    const { previous, next } = connection
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    connection.waiting = undefined
    connection.previous = undefined
    connection.next = undefined
  }
}
