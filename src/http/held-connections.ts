import type { Server, Socket } from 'node:net'
import { Connection } from './connection.js'
import type { ConnectionLimit } from './connection-limit.js'
import { pauseNewConnections } from './node-internals.js'

/** The share of all connections that may be held. The server gets the others, and tells them why they have to wait. */
const SHARE = 3 / 4

/**
 * Holds the new connections of a server before anything is read from them: requests wait in the buffers of the system, and
 * their own time limits have not begun. A connection that has been held for `longest` milliseconds, or exceeds the share,
 * goes to the server, which responds as it can.
 */
export class HeldConnections {
  readonly #server: Server
  readonly #limit: ConnectionLimit
  readonly #longest: number
  readonly #listeners: ((socket: Socket) => void)[]
  readonly #timers = new Map<Socket, NodeJS.Timeout>()

  constructor(server: Server, limit: ConnectionLimit, longest: number) {
    this.#server = server
    this.#limit = limit
    this.#longest = longest
    this.#listeners = server.listeners('connection') as ((socket: Socket) => void)[]
    server.removeAllListeners('connection')
    server.on('connection', this.#hold)
    pauseNewConnections(server, true)
  }

  /** Gives all of them to the server, and from now on each new one at once. */
  release(): void {
    this.#server.off('connection', this.#hold)
    pauseNewConnections(this.#server, false)
    for (const listener of this.#listeners) this.#server.on('connection', listener)
    for (const socket of [...this.#timers.keys()]) this.#serveHeld(socket)
  }

  readonly #hold = (socket: Socket): void => {
    this.#limit.admit(socket)
    if (socket.destroyed) return
    if (this.#timers.size >= Math.ceil(this.#limit.max * SHARE)) {
      this.#serve(socket)
      return
    }
    // Counts as one with a request in progress: it is not closed for a new one.
    Connection.of(socket).begin()
    const timer = setTimeout(() => this.#serveHeld(socket), this.#longest)
    this.#timers.set(socket, timer)
    socket.once('error', ignore)
    socket.once('close', () => {
      clearTimeout(timer)
      this.#timers.delete(socket)
    })
  }

  #serveHeld(socket: Socket): void {
    clearTimeout(this.#timers.get(socket))
    this.#timers.delete(socket)
    Connection.of(socket).end(undefined)
    this.#serve(socket)
    socket.off('error', ignore)
  }

  #serve(socket: Socket): void {
    for (const listener of this.#listeners) listener.call(this.#server, socket)
    socket.resume()
  }
}

const ignore = (): void => {}
