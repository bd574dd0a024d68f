import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as secure } from 'node:tls'
import { onTestFinished } from 'vitest'

/** A TCP connection for bytes that no HTTP client would send. */
export interface RawConnection {
  send(text: string | Buffer): void
  /** All received bytes, once `enough` is true of them. Rejects if the connection is closed before that. */
  until(enough: (received: string) => boolean): Promise<string>
  /** All received bytes, once the other side has closed the connection. */
  closed(): Promise<string>
  /** Ends our side. */
  end(): void
  /** Resets the connection: the other side notices at once. */
  cut(): void
  /** Stops reading from the other side, until `resume`. */
  pause(): void
  resume(): void
}

export async function rawConnection(port: number): Promise<RawConnection> {
  const below = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  onTestFinished(() => void below.destroy())
  return rawConnectionOn(below, below)
}

/** The same over TLS. Rejects if the handshake fails. */
export async function rawSecureConnection(port: number, tls: ConnectionOptions): Promise<RawConnection> {
  const below = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  onTestFinished(() => void below.destroy())
  await once(below, 'connect')
  below.on('error', () => {})
  return rawConnectionOn(secure({ servername: 'localhost', ...tls, socket: below }), below, 'secureConnect')
}

async function rawConnectionOn(socket: Socket, below: Socket, ready = 'connect'): Promise<RawConnection> {
  let received = ''
  socket.setEncoding('utf8').on('data', (text) => {
    received += text
  })
  socket.on('end', () => socket.end())
  await once(socket, ready)
  // A reset is a way of closing.
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(received)))
  return {
    send: (text) => void socket.write(text),
    until: (enough) =>
      new Promise((resolve, reject) => {
        const look = () => enough(received) && resolve(received)
        socket.on('data', look)
        closed.then(() => reject(new Error(`closed after: ${received}`)))
        look()
      }),
    closed: () => closed,
    end: () => void socket.end(),
    cut: () => void below.resetAndDestroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  }
}

/** The bytes of a request. */
export function rawRequest(
  method: string,
  path: string,
  headers: { readonly [name: string]: string | number },
  body = '',
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\nhost: test\r\n${lines.join('')}\r\n${body}`
}
