import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpAnswer } from '../plugin.js'

/** So much of a refused request's body is read and thrown away to save its connection. */
const DISCARD_BYTES = 64 * 1024
/** So long is read and thrown away before a connection is closed: a reset would overtake the answer. */
const LINGER_MS = 500

/** `requestId`: what the answer says of its request, where it does. */
export function respond(
  response: ServerResponse,
  answer: HttpAnswer,
  close: boolean,
  requestId: string | undefined,
): void {
  writeHead(response, answer, close, requestId)
  response.end(answer.body)
}

/**
 * Answers a request whose body has not been read. Where little is left of it, node:http reads on and the connection
 * lives; otherwise the connection is closed, so that nobody can make us read for ever.
 */
export function respondEarly(
  request: IncomingMessage,
  response: ServerResponse,
  answer: HttpAnswer,
  close: boolean,
  requestId: string | undefined,
): void {
  if (request.closed || isShort(request)) {
    respond(response, answer, close, requestId)
    return
  }
  writeHead(response, answer, true, requestId)
  response.write(answer.body)
  const finish = () => {
    clearTimeout(lingering)
    response.end()
  }
  const lingering = setTimeout(finish, LINGER_MS)
  request.once('close', finish)
  request.resume()
}

function writeHead(
  response: ServerResponse,
  { status, headers, body }: HttpAnswer,
  close: boolean,
  requestId: string | undefined,
): void {
  const lines = ['content-length', String(Buffer.byteLength(body))]
  for (const name in headers) lines.push(name, headers[name] ?? '')
  if (requestId !== undefined && headers['x-request-id'] === undefined) lines.push('x-request-id', requestId)
  if (close && headers['connection'] === undefined) lines.push('connection', 'close')
  response.writeHead(status, lines)
}

const isShort = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= DISCARD_BYTES
