import type { Server, Socket } from 'node:net'
import { Connection } from './connection.js'
import type { ConnectionLimit } from './connection-limit.js'

export interface HeldConnections {
  /** Gives all of them to the server, and from now on each new one at once. */
  release(): void
}

/** The share of all connections that may be held. The others are given to the server, so that they hear why they have to wait. */
const SHARE = 3 / 4

/**
 * Holds the new connections of a server before anything is read of them: requests wait in the buffers of the system, and
 * their own time limits have not begun. A connection that has been held for `longest` milliseconds, or is one too many, is
 * given to the server, which answers as it can.
 */
export function holdConnections(server: Server, limit: ConnectionLimit, longest: number): HeldConnections {
  const listeners = server.listeners('connection') as ((socket: Socket) => void)[]
  const held = new Map<Socket, NodeJS.Timeout>()

  function hold(socket: Socket): void {
    limit.admit(socket)
    if (socket.destroyed) return
    if (held.size >= Math.ceil(limit.max * SHARE)) {
      give(socket)
      return
    }
    // As one with a request under way: it is not closed for a new one.
    Connection.of(socket).begin()
    const timer = setTimeout(giveHeld, longest, socket)
    held.set(socket, timer)
    socket.once('error', ignore)
    socket.once('close', () => {
      clearTimeout(timer)
      held.delete(socket)
    })
  }
  function giveHeld(socket: Socket): void {
    clearTimeout(held.get(socket))
    held.delete(socket)
    Connection.of(socket).end(undefined)
    give(socket)
    socket.off('error', ignore)
  }
  function give(socket: Socket): void {
    for (const listener of listeners) listener.call(server, socket)
    socket.resume()
  }
  const pauseNew = (pauseOnConnect: boolean) => Object.assign(server, { pauseOnConnect })

  server.removeAllListeners('connection')
  server.on('connection', hold)
  // An option of node:net for sockets that other processes are given: nothing is read before `resume`.
  pauseNew(true)
  return {
    release() {
      server.off('connection', hold)
      pauseNew(false)
      for (const listener of listeners) server.on('connection', listener)
      for (const socket of [...held.keys()]) giveHeld(socket)
    },
  }
}

const ignore = (): void => {}
