import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A broker whose connections can be counted and cut. */
export async function countedBroker(bootstrap: string) {
  const [host = '', port] = bootstrap.split(':')
  const sockets = new Set<Socket>()
  let count = 0
  const server = createServer((socket) => {
    count++
    const upstream = connect({ host, port: Number(port) })
    for (const each of [socket, upstream]) {
      sockets.add(each)
      each.on('error', () => {}).on('close', () => sockets.delete(each))
    }
    socket.pipe(upstream).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  const address = server.address() as { readonly port: number }
  return { bootstrap: `127.0.0.1:${address.port}`, count: () => count, open: () => sockets.size, cut }
}
