import type { HttpResponse } from '../contract/index.js'
import { Connection, isRefusal, KEEP_ALIVE_AFTER_REFUSAL } from './connection.js'
import type { Incoming, Outgoing } from './message.js'
import { type IncomingRequest, OutgoingResponse } from './node-internals.js'

/** The most bytes of a refused request's body that are read and discarded to keep its connection. */
const MAX_DISCARDED_BYTES = 64 * 1024

/** `requestId`: for the header x-request-id, if the response has one. */
export function respond(
  outgoing: Outgoing,
  response: HttpResponse,
  close: boolean,
  requestId: string | undefined,
): void {
  const { status, body } = response
  const bytes = Buffer.byteLength(body)
  if (isRefusal(status)) outgoing.keepAlive(KEEP_ALIVE_AFTER_REFUSAL)
  outgoing.writeHead(status, head(response, bytes, close, requestId))
  outgoing.endWith(body, bytes)
}

/**
 * Responds to a request whose body has not been read. If little is left of it, node:http reads on and the connection
 * lives; otherwise the connection is closed, so that a sender cannot make Headgate read for ever.
 */
export function respondEarly(
  request: Incoming,
  outgoing: Outgoing,
  response: HttpResponse,
  close: boolean,
  requestId: string | undefined,
): void {
  const closes = close || response.headers['connection'] === 'close'
  // A stream of HTTP/2 ends alone.
  const endsAlone = !(outgoing instanceof OutgoingResponse)
  if (endsAlone || request.complete || (isShort(request) && !closes)) {
    respond(outgoing, response, close, requestId)
    return
  }
  const connection = Connection.of(request.socket)
  connection.closing = true
  ;(outgoing.req as IncomingRequest).discard()
  outgoing.once('finish', () => void connection.close(undefined))
  respond(outgoing, response, true, requestId)
  outgoing.leaveConnectionOpen()
}

/** The lines as `writeHead` takes them: a name, its value, the next name. */
function head(
  { status, headers }: HttpResponse,
  bytes: number,
  close: boolean,
  requestId: string | undefined,
): string[] {
  // RFC 9110, 8.6: a response with 204 has none.
  const lines = status === 204 ? [] : ['content-length', String(bytes)]
  for (const name in headers) lines.push(name, headers[name] ?? '')
  if (requestId !== undefined && headers['x-request-id'] === undefined) lines.push('x-request-id', requestId)
  if (close && headers['connection'] === undefined) lines.push('connection', 'close')
  return lines
}

const isShort = ({ headers }: Incoming): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= MAX_DISCARDED_BYTES
