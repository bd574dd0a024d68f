import type { Socket } from 'node:net'
import { type ErrorCode, HeadgateError } from '../contract/errors.js'
import { Connection } from './connection.js'
import type { IncomingRequest } from './node-internals.js'
import { problem } from './problem.js'
import { otherVersion } from './request-head.js'
import { respondEarly } from './respond.js'

/** What node:http reports of a connection whose request it cannot read. */
export interface ClientError extends Error {
  readonly code?: string
  /** What the HTTP parser found. */
  readonly reason?: string
}

/** The sender has gone: there is nobody to answer. */
const GONE = new Set(['ECONNRESET', 'EPIPE'])
/** Not to be answered: the sender has ended its side in the middle of a request, or goes on after `Connection: close`. */
const SILENT = new Set(['HPE_INVALID_EOF_STATE', 'HPE_CLOSED_CONNECTION'])

/**
 * Ends a connection on which something comes that is no request. Requests before it are answered first; then it is
 * answered itself, and the connection is closed. `onResponse` is told the status of an answer that is written.
 */
export function refuseMalformed(
  error: ClientError,
  socket: Socket,
  onResponse: (status: number) => void,
): void {
  const connection = Connection.of(socket)
  const { last } = connection
  // A client may open connections ahead of its requests: an answer to none would be taken for that of the next.
  const unused = socket.bytesRead === 0
  if (unused || GONE.has(error.code ?? '')) {
    connection.closing = true
    socket.destroy()
    return
  }
  // The parser reports the same again for each segment that still comes.
  if (connection.closing) return
  const silent = SILENT.has(error.code ?? '')
  if (last !== undefined && !last.req.complete) {
    // It is in the body of a request that has been answered, or will be.
    if (last.owed) void connection.close(undefined)
    else if (silent && last.socket !== null) socket.destroy()
    else {
      connection.closing = true
      const request = last.req as IncomingRequest
      request.abandon()
      const answer = problem(describe(error))
      respondEarly(request, last, answer, true, undefined)
      onResponse(answer.status)
    }
    return
  }
  void connection.close(silent ? undefined : describe(error)).then((status) => {
    if (status !== undefined) onResponse(status)
  })
}

function describe({ code, reason }: ClientError): HeadgateError {
  // "PRI * HTTP/2.0" is what a client of HTTP/2 says first.
  if (code === 'HPE_PAUSED_H2_UPGRADE') return otherVersion('2.0')
  if (code === 'HPE_INVALID_VERSION' && reason === 'Invalid HTTP version') return otherVersion()
  const [as, message]: [ErrorCode, string] =
    code === 'HPE_HEADER_OVERFLOW'
      ? ['HG_INTAKE_HEADERS_TOO_LARGE', 'The request headers are too large.']
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['HG_INTAKE_TOO_SLOW', 'The request did not arrive in time.']
        : ['HG_INTAKE_MALFORMED', `This is not HTTP/1.1: ${reason ?? 'it cannot be read'}.`]
  return new HeadgateError(as, message)
}
