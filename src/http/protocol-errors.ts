import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { HeadgateError } from '../contract/errors.js'
import { Connection } from './connection.js'
import { type IncomingRequest, serveAgain } from './node-internals.js'
import { problem } from './problem.js'
import { headersTooLarge, noTunnels, unsupportedVersion } from './request-head.js'
import { respondEarly } from './respond.js'

/** The report of node:http on a connection whose request it cannot read. */
export interface ClientError extends Error {
  readonly code?: string
  /** From the HTTP parser. */
  readonly reason?: string
}

/** Called for a response that was written. */
export type OnRefusal = (status: number, error: HeadgateError, socket: Socket) => void

/** The sender has left and cannot read a response. */
const GONE = new Set(['ECONNRESET', 'EPIPE'])
/** No response: the sender has ended its side in the middle of a request, or continues after `Connection: close`. */
const SILENT = new Set(['HPE_INVALID_EOF_STATE', 'HPE_CLOSED_CONNECTION'])

/**
 * Ends a connection whose bytes are no request. Requests before them get their responses first; then comes one for the error,
 * and the connection is closed. `onResponse` is called with the status of a response that is written.
 */
export function refuseMalformed(error: ClientError, socket: Socket, onResponse: OnRefusal): void {
  const connection = Connection.of(socket)
  const { last } = connection
  // A client may open connections ahead of its requests: it would take a response to none for that of its next request.
  const unused = socket.bytesRead === 0
  if (unused || GONE.has(error.code ?? '')) {
    connection.closing = true
    socket.destroy()
    return
  }
  // The parser reports the same again for each further segment.
  if (connection.closing) return
  const silent = SILENT.has(error.code ?? '')
  if (last !== undefined && !last.req.complete) {
    // The error is in the body of a request that has its response already, or will get it.
    if (last.pending) void connection.close(undefined)
    else if (silent && last.socket !== null) socket.destroy()
    else {
      connection.closing = true
      const request = last.req as IncomingRequest
      request.abort()
      const described = describe(error)
      const response = problem(described)
      respondEarly(request, last, response, true, undefined)
      onResponse(response.status, described, socket)
    }
    return
  }
  const described = describe(error)
  void connection.close(silent ? undefined : described).then((status) => {
    if (status !== undefined) onResponse(status, described, socket)
  })
}

function describe({ code, reason }: ClientError): HeadgateError {
  // A client of HTTP/2 starts with "PRI * HTTP/2.0".
  if (code === 'HPE_PAUSED_H2_UPGRADE') return unsupportedVersion('2.0')
  if (code === 'HPE_INVALID_VERSION' && reason === 'Invalid HTTP version') return unsupportedVersion()
  if (code === 'HPE_HEADER_OVERFLOW') return headersTooLarge
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return tooSlow
  return new HeadgateError(
    'HG_INTAKE_MALFORMED',
    `The request is not HTTP/1.1: ${reason ?? 'it cannot be parsed'}.`,
  )
}

export const tooSlow = new HeadgateError('HG_INTAKE_TOO_SLOW', 'The request did not arrive in time.')

/**
 * Treats requests for another protocol (RFC 9110, 7.8) as if they did not ask for it: the first request of Java's HttpClient
 * always asks for HTTP/2. Without a listener for `upgrade`, node:http would do the same, but lose the bytes that follow the
 * request in the same segment. CONNECT is refused.
 */
export function declineUpgrades(server: Server, secure: boolean, onResponse: OnRefusal): void {
  server.on('upgrade', async (request: IncomingMessage, socket: Socket, rest: Buffer) => {
    // node:http no longer listens, and an unhandled error would end the process.
    const ignore = () => {}
    socket.on('error', ignore)
    // A response that is still to come belongs to the earlier state that node:http had of the connection.
    if (!(await Connection.of(socket).lastResponseSent()) || !socket.writable) return
    socket.unshift(Buffer.concat([Buffer.from(withoutUpgrade(request), 'latin1'), rest]))
    serveAgain(server, socket, secure)
    socket.resume()
    socket.off('error', ignore)
  })
  server.on('connect', async (_request: IncomingMessage, socket: Socket) => {
    const status = await Connection.of(socket).close(noTunnels)
    if (status !== undefined) onResponse(status, noTunnels, socket)
  })
}

/** The head of the same request without `upgrade` in its Connection header. */
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
