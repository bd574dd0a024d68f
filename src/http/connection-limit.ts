import { readdirSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Log } from '../contract/index.js'
import { onceAMinute } from '../lib/rate.js'
import { Connection, IdleConnections } from './connection.js'

export interface LimitEvents {
  /** A new connection was closed at once. */
  onRefused(): void
  /** An idle connection was closed for a new one. */
  onEvicted(): void
}

/**
 * Bounds the connections of a listener. At the limit, a new one replaces the connection that has been idle longest: first of
 * those whose sender has not proved its identity, then of the others. If none is idle, the new one is closed.
 */
export class ConnectionLimit {
  max: number
  readonly #open = new Set<Socket>()
  #further = 0
  readonly #strangers = new IdleConnections()
  readonly #trusted = new IdleConnections()
  readonly #events: LimitEvents

  constructor(max: number, events: LimitEvents) {
    this.max = max
    this.#events = events
  }

  /** All open connections, those that have not agreed on TLS yet included. */
  get open(): ReadonlySet<Socket> {
    return this.#open
  }

  /** The open connections, and the further requests that count as one each. */
  get used(): number {
    return this.#open.size + this.#further
  }

  /**
   * A further request on a connection that has one already: with HTTP/1 it would take a connection of its own. Returns false
   * if there is no room for it; otherwise `endFurther` has to follow.
   */
  admitFurther(connection: Connection): boolean {
    if (this.used >= this.max && !this.#evict(connection)) return false
    this.#further++
    return true
  }

  endFurther(): void {
    this.#further--
  }

  /** Takes a new connection in, or closes it. */
  admit(socket: Socket): void {
    // After a request for another protocol, node:http is given its connection again.
    if (this.#open.has(socket)) return
    if (this.used >= this.max && !this.#evict()) {
      socket.destroy()
      this.#events.onRefused()
      return
    }
    const connection = Connection.of(socket)
    this.#open.add(socket)
    this.#strangers.add(connection)
    connection.onIdle = () => (connection.trusted ? this.#trusted : this.#strangers).add(connection)
    socket.once('close', () => {
      this.#open.delete(socket)
      connection.onIdle = undefined
      connection.idle?.remove(connection)
    })
  }

  /** `besides`: the connection that needs the room. */
  #evict(besides?: Connection): boolean {
    const longest = this.#strangers.first ?? this.#trusted.first
    if (longest === undefined || longest === besides) return false
    longest.idle?.remove(longest)
    this.#open.delete(longest.tcpSocket)
    longest.socket.destroy()
    this.#events.onEvicted()
    return true
  }

  /** Lowers the limit if the process may not have enough open files for it. */
  boundByDescriptors(descriptors: Descriptors | undefined, log: Log): void {
    if (descriptors === undefined || descriptors.forSenders >= this.max) return
    const { limit, forSenders } = descriptors
    log.warn(
      { limit, connections: forSenders },
      `The process may have ${limit} files and connections open, which is too few for ${this.max} connections of senders: ${forSenders} are accepted. Raise the limit (ulimit -n, LimitNOFILE) or lower HEADGATE_MAX_CONNECTIONS.`,
    )
    this.max = forSenders
  }
}

/** Logs at most once a minute that there is no room for more connections. */
export function limitConnections(max: number, log: Log, onRefused?: () => void): ConnectionLimit {
  const sayRefused = onceAMinute((count) =>
    log.warn({ count }, `connections were refused: ${limit.max} are open`),
  )
  const sayEvicted = onceAMinute((count) =>
    log.warn({ count }, `idle connections were closed for new ones: ${limit.max} are open`),
  )
  const limit: ConnectionLimit = new ConnectionLimit(max, {
    onRefused() {
      sayRefused()
      onRefused?.()
    },
    onEvicted: sayEvicted,
  })
  return limit
}

/** Kept for the admin listener (100 connections), for connections to upstreams (128 by default) and brokers, and for files. */
const RESERVE = 256

export interface Descriptors {
  /** How many files and connections the process may have open. */
  readonly limit: number
  /** How many of them senders may have, so that some are always left for the admin listener. */
  readonly forSenders: number
}

/** Undefined on systems that do not tell the limit: Linux does. */
export function readDescriptors(): Descriptors | undefined {
  try {
    const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    if (Number.isNaN(limit)) return undefined
    return { limit, forSenders: shareForSenders(limit, readdirSync('/proc/self/fd').length) }
  } catch {
    return undefined
  }
}

/** A quarter of a small limit: then no share is enough. */
export const shareForSenders = (limit: number, open: number): number =>
  Math.max(limit - open - RESERVE, Math.floor(limit / 4))
