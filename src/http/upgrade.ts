import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { HeadgateError } from '../contract/errors.js'
import { Connection } from './connection.js'

/**
 * Takes requests that want another protocol (RFC 9110, 7.8) as if they did not: Java's HttpClient asks for HTTP/2 in each first
 * one. If nobody listened to `upgrade`, node:http would do the same, but forget what came behind the request in the same
 * segment. CONNECT is refused.
 */
export function declineUpgrades(server: Server, secure: boolean, onResponse: (status: number) => void): void {
  const opened = secure ? 'secureConnection' : 'connection'
  server.on('upgrade', async (request: IncomingMessage, socket: Socket, rest: Buffer) => {
    // node:http listens no more, and an error that nobody hears would end the process.
    const ignore = () => {}
    socket.on('error', ignore)
    // An answer that is still to come belongs to what node:http knew of the connection before.
    if (!(await Connection.of(socket).answered()) || !socket.writable) return
    socket.unshift(Buffer.concat([Buffer.from(withoutUpgrade(request), 'latin1'), rest]))
    server.emit(opened, socket)
    socket.resume()
    socket.off('error', ignore)
  })
  server.on('connect', async (_request: IncomingMessage, socket: Socket) => {
    const status = await Connection.of(socket).close(noTunnels)
    if (status !== undefined) onResponse(status)
  })
}

const noTunnels = new HeadgateError('HG_INTAKE_METHOD', 'The method is CONNECT; Headgate is no proxy.')

/** The head of a request that only differs in its Connection header. */
function withoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const value = rawHeaders[index + 1] as string
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutOption(value) : value}\r\n`)
  }
  return `${method} ${url} HTTP/${httpVersion}\r\n${lines.join('')}\r\n`
}

const withoutOption = (value: string): string =>
  value
    .split(',')
    .filter((option) => option.trim().toLowerCase() !== 'upgrade')
    .join(',')
