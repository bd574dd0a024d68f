import type { IncomingMessage } from 'node:http'
import type { HttpResponse } from '../contract/index.js'
import { Connection, isRefusal, REST_MS } from './connection.js'
import type { IncomingRequest } from './node-internals.js'
import type { OutgoingAnswer } from './outgoing-answer.js'

/** So much of a refused request's body is read and thrown away to save its connection. */
const DISCARD_BYTES = 64 * 1024

/** `requestId`: what the answer says of its request, where it does. */
export function respond(
  response: OutgoingAnswer,
  answer: HttpResponse,
  close: boolean,
  requestId: string | undefined,
): void {
  const { status, body } = answer
  const bytes = Buffer.byteLength(body)
  if (isRefusal(status)) response._keepAliveTimeout = REST_MS
  response.writeHead(status, head(answer, bytes, close, requestId))
  response.endWith(body, bytes)
}

/**
 * Answers a request whose body has not been read. Where little is left of it, node:http reads on and the connection
 * lives; otherwise the connection is closed, so that nobody can make us read for ever.
 */
export function respondEarly(
  request: IncomingRequest,
  response: OutgoingAnswer,
  answer: HttpResponse,
  close: boolean,
  requestId: string | undefined,
): void {
  const closes = close || answer.headers['connection'] === 'close'
  if (request.complete || (isShort(request) && !closes)) {
    respond(response, answer, close, requestId)
    return
  }
  const connection = Connection.of(request.socket)
  connection.closing = true
  request.discard()
  response.once('finish', () => void connection.close(undefined))
  respond(response, answer, true, requestId)
  response._last = false
}

/** The lines as `writeHead` takes them: a name, its value, the next name. */
function head(
  { headers }: HttpResponse,
  bytes: number,
  close: boolean,
  requestId: string | undefined,
): string[] {
  const lines = ['content-length', String(bytes)]
  for (const name in headers) lines.push(name, headers[name] ?? '')
  if (requestId !== undefined && headers['x-request-id'] === undefined) lines.push('x-request-id', requestId)
  if (close && headers['connection'] === undefined) lines.push('connection', 'close')
  return lines
}

const isShort = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= DISCARD_BYTES
