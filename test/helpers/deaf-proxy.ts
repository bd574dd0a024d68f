import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on loopback that can lose what the server answers. */
export interface DeafProxy {
  readonly port: number
  /** From now on everything reaches the server, and nothing comes back. */
  loseAnswers(): void
  /** Cuts all connections, so that no half of an answer is left; new ones work in both directions. */
  heal(): void
  close(): void
}

/** Listens on `port` and passes on to `target`, another port of loopback. */
export async function startDeafProxy(port: number, target: number): Promise<DeafProxy> {
  const sockets = new Set<Socket>()
  let deaf = false
  const track = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A reset is one way of closing; the other side hears of it below.
    socket.on('error', () => {})
  }
  const server = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port: target })
    track(client)
    track(upstream)
    client.on('data', (data) => upstream.write(data))
    upstream.on('data', (data) => {
      if (!deaf) client.write(data)
    })
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port,
    loseAnswers() {
      deaf = true
    },
    heal() {
      cut()
      deaf = false
    },
    close() {
      server.close()
      cut()
    },
  }
}
