import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Cuts connections whose other side has taken nothing of what waits for it from one look to the next, `every` milliseconds
 * later. node:http's own `timeout` does the same with a timer that each request sets anew.
 */
export function cutStalled(server: Server, connections: ReadonlySet<Socket>, every: number): void {
  const taken = new WeakMap<Socket, number>()
  const looking = setInterval(() => {
    for (const connection of connections) {
      const { bytesWritten, writableLength } = connection
      if (writableLength === 0) taken.delete(connection)
      else if (taken.get(connection) === bytesWritten - writableLength) connection.destroy()
      else taken.set(connection, bytesWritten - writableLength)
    }
  }, every).unref()
  server.once('close', () => clearInterval(looking))
}
