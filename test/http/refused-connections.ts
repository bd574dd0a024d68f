import { connect } from 'node:net'

/** Opens so many connections, in waves, and resolves when the other side has closed them all. */
export async function refusedConnections(port: number, count: number): Promise<void> {
  const wave = 100
  for (let left = count; left > 0; left -= wave) {
    await Promise.all(Array.from({ length: Math.min(wave, left) }, () => refusedConnection(port)))
  }
}

const refusedConnection = (port: number): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    // A reset is one way of closing.
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
  })
