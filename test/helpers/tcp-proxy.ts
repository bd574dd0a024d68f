import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on loopback. */
export interface TcpProxy {
  /** Cuts all connections; new ones are accepted. */
  cut(): void
  close(): void
}

/**
 * Listens on `port` and opens a connection to `target`, another port of loopback, for each accepted one. `join`
 * forwards the bytes of both sides; if one of them ends, so does the other.
 */
export async function startTcpProxy(
  port: number,
  target: number,
  join: (client: Socket, server: Socket) => void,
): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const listener = createServer((client) => {
    const server = connect({ host: '127.0.0.1', port: target })
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      // A reset is one way of closing; the other side hears of it below.
      socket.on('error', () => {})
    }
    join(client, server)
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
  })
  listener.listen(port, '127.0.0.1')
  await once(listener, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    cut,
    close() {
      listener.close()
      cut()
    },
  }
}
