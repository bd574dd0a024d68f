import { createHmac } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { LoadOrder } from './load-order.js'

export const openConnection = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket)).once(
      'error',
      reject,
    )
  })

/** The port of a connection, by its number. */
export const portOf = (ports: readonly number[], connection: number): number =>
  ports[connection % ports.length] as number

const CLOSED = 'the connection was closed'

/** The part of a response that only a new event gets, not the cheap response to a redelivery. */
const TAKEN = /"outcome":"(?:delivered|accepted)"/

/**
 * Resolves with the status once the response is complete; a 200 for anything but a new event is `200 otherwise`.
 * Responses have a Content-Length. Rejects if the connection is closed first.
 */
export const exchange = (socket: Socket, request: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    // Closed while it was idle: `close` is not emitted again.
    if (socket.destroyed) return reject(new Error(CLOSED))
    let text = ''
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
      if (text.length < headEnd + 4 + Number(length)) return
      const status = text.slice(9, 12)
      settle(() => resolve(status === '200' && !TAKEN.test(text) ? '200 otherwise' : status))
    }
    const lost = () => settle(() => reject(new Error(CLOSED)))
    const settle = (then: () => void) => {
      socket.off('data', take).off('close', lost)
      then()
    }
    socket.on('data', take).on('close', lost)
    socket.write(request)
  })

/** The requests of one connection: prepared bytes, in which only the id changes. */
export interface Requests {
  /** The next request; its bytes are valid until the same request comes round again. */
  next(event: number): Buffer
}

const ID_DIGITS = 10

/** `offset`: the index of the first request of a connection. */
export function prepareRequests(order: LoadOrder, offset: number): Requests {
  const { paths, payloads } = order
  // Every payload goes to every path, in alternation.
  const prepared = paths.flatMap((path) => payloads.map((payload) => prepare(order, path, payload)))
  let turn = offset
  return {
    next(event) {
      const request = prepared[turn++ % prepared.length]
      if (request === undefined) throw new Error('an order without a path or a payload')
      request.bytes.write(String(event).padStart(ID_DIGITS, '0'), request.idAt, 'latin1')
      request.sign?.()
      return request.bytes
    },
  }
}

/** A whole request, and the position of the variable part of its id. */
function prepare({ name, token, bodyBytes, signed }: LoadOrder, path: string, payload: string) {
  const id = `${name}-${'0'.repeat(ID_DIGITS)}`
  const before = `{"dataActionId":"${id}","eventType":"DataActionExecuted","timestamp":"2025-06-01T08:00:00.000Z","payload":{${payload},"text":"`
  const fill = bodyBytes - before.length - 3
  if (fill < 0) throw new Error(`a body of ${bodyBytes} bytes is too small for ${payload}`)
  const body = `${before}${'x'.repeat(fill)}"}}`
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: headgate.test',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...(signed ? [`${SIGNATURE_HEADER}: ${UNSIGNED}`] : []),
  ]
  const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1')
  const idAt = bytes.indexOf(id) + name.length + 1
  if (!signed) return { bytes, idAt }
  const signatureAt = bytes.indexOf(UNSIGNED)
  const signedPart = bytes.subarray(bytes.length - body.length)
  const sign = () =>
    void bytes.write(createHmac('sha256', token).update(signedPart).digest('hex'), signatureAt, 'latin1')
  return { bytes, idAt, sign }
}

/** Has the HMAC-SHA256 of the body in hexadecimal. */
export const SIGNATURE_HEADER = 'X-Signature'
const UNSIGNED = '-'.repeat(64)
