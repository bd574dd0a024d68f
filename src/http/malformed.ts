import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, HeadgateError } from '../errors.js'
import { problem } from './problem.js'
import { otherVersion } from './request-head.js'

/** What node:http reports of a connection whose request it cannot read. */
export interface ClientError extends Error {
  readonly code?: string
  /** What the HTTP parser found. */
  readonly reason?: string
}

/** The sender has gone: there is nobody to answer. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'])

/**
 * Ends a connection whose request never became one. Returns the status that was answered, or undefined where nothing
 * was: an answer written while an earlier request of the connection waits for its own would be taken for that one's.
 */
export function refuseMalformed(
  error: ClientError,
  connection: Socket,
  answerOwed: boolean,
): number | undefined {
  // A client may open connections ahead of its requests: an answer to none would be taken for that of the next.
  const unused = connection.bytesRead === 0
  if (answerOwed || unused || !connection.writable || GONE.has(error.code ?? '')) {
    connection.destroy()
    return undefined
  }
  const { status, text } = rawAnswer(describe(error))
  connection.end(text, () => connection.destroy())
  return status
}

/** The bytes of an answer that no request of node:http belongs to. */
export function rawAnswer(error: HeadgateError): { readonly status: number; readonly text: string } {
  const { status, headers, body } = problem(error)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const text =
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  return { status, text }
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
