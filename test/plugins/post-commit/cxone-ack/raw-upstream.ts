import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface RawUpstream {
  readonly url: string
  /** Request lines and headers of the requests that came, as they were. */
  readonly requests: string[]
  openConnections(): number
}

/** Writes what it wants to a request; `head` is the request line with the headers. */
export type Responder = (socket: Socket, head: string) => void

const TOKEN = '{"access_token":"t","token_type":"bearer","expires_in":3600}'

/** A complete HTTP/1.1 response. */
export function response(
  status: string,
  body: string | Buffer = '',
  headers: readonly string[] = [],
): Buffer {
  const bytes = Buffer.from(body)
  const head = [`HTTP/1.1 ${status}`, `content-length: ${bytes.length}`, ...headers, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head), bytes])
}

export const giveToken: Responder = (socket) => void socket.write(response('200 OK', TOKEN))

/** A server that writes bytes, so that it can say what node:http would refuse to. */
export async function rawUpstream(
  acknowledge: Responder,
  token: Responder = giveToken,
): Promise<RawUpstream> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      for (;;) {
        const end = received.indexOf('\r\n\r\n')
        if (end < 0) return
        const head = received.slice(0, end)
        const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0)
        if (received.length < end + 4 + length) return
        received = received.slice(end + 4 + length)
        requests.push(head)
        const respond = head.includes('/oauth/token') ? token : acknowledge
        respond(socket, head)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    openConnections: () => sockets.size,
  }
}

/** Writes `piece` every few milliseconds until the other side has enough. */
export function drip(socket: Socket, piece: string, every = 5): void {
  const timer = setInterval(() => socket.write(piece), every)
  socket.on('close', () => clearInterval(timer))
}
