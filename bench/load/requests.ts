import { createHmac } from 'node:crypto'
import type { LoadOrder, RequestKind } from './load-order.js'

/** The requests of one connection: prepared bytes, in which only ids and signatures change. */
export interface Requests {
  /** The next request, with its number in the order; its bytes are valid until the same request comes round again. */
  next(number: number): Buffer
}

/** In a request of the kind `batch`. */
export const BATCH = 10

/** The events of one request. */
export const eventsOf = (kind: RequestKind | undefined): number => (kind === 'batch' ? BATCH : 1)

/** Has the HMAC-SHA256 of the body in hexadecimal. */
export const SIGNATURE_HEADER = 'X-Signature'
const UNSIGNED = '-'.repeat(64)

const ID_DIGITS = 10
const EVENT_TYPE = 'DataActionExecuted'
const TIMESTAMP = '2025-06-01T08:00:00.000Z'

/** `offset`: the index of the first request of a connection. */
export function prepareRequests(order: LoadOrder, offset: number): Requests {
  const { paths, payloads, requests } = order
  const events = eventsOf(requests)
  // Every payload goes to every path, in alternation, and so it does within a batch.
  const prepared = paths.flatMap((path) =>
    payloads.map((_, first) => {
      const own = Array.from({ length: events }, (_, item) => payloads[(first + item) % payloads.length])
      return prepare(order, path, own as string[])
    }),
  )
  let turn = offset
  return {
    next(number) {
      const request = prepared[turn++ % prepared.length]
      if (request === undefined) throw new Error('an order without a path or a payload')
      for (const [item, at] of request.idsAt.entries())
        request.bytes.write(String(number * events + item).padStart(ID_DIGITS, '0'), at, 'latin1')
      request.sign?.()
      return request.bytes
    },
  }
}

/** A whole request, and the positions of the variable parts of its ids. */
function prepare({ name, token, bodyBytes, requests }: LoadOrder, path: string, payloads: readonly string[]) {
  const prefix = `${name}-`
  const id = `${prefix}${'0'.repeat(ID_DIGITS)}`
  const isForm = requests === 'form'
  const events = payloads.map((payload) => (isForm ? form : json)(id, payload, bodyBytes))
  const body = requests === 'batch' ? `[${events.join(',')}]` : events.join('')
  const isSigned = requests === 'signed'
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: headgate.test',
    isSigned ? `${SIGNATURE_HEADER}: ${UNSIGNED}` : `Authorization: Bearer ${token}`,
    `Content-Type: ${isForm ? 'application/x-www-form-urlencoded' : 'application/json'}`,
    `Content-Length: ${body.length}`,
  ].join('\r\n')
  const bytes = Buffer.from(`${head}\r\n\r\n${body}`, 'latin1')
  const idsAt: number[] = []
  for (let at = bytes.indexOf(id); at !== -1; at = bytes.indexOf(id, at + 1)) idsAt.push(at + prefix.length)
  if (!isSigned) return { bytes, idsAt }
  const signatureAt = bytes.indexOf(UNSIGNED)
  const signedPart = bytes.subarray(bytes.length - body.length)
  const sign = () =>
    void bytes.write(createHmac('sha256', token).update(signedPart).digest('hex'), signatureAt, 'latin1')
  return { bytes, idsAt, sign }
}

function json(id: string, payload: string, bytes: number): string {
  const before = `{"dataActionId":"${id}","eventType":"${EVENT_TYPE}","timestamp":"${TIMESTAMP}","payload":{${payload},"text":"`
  const after = '"}}'
  return `${before}${'x'.repeat(room(bytes, before.length + after.length, payload))}${after}`
}

/** Forms have no objects: the members of the payload are fields like the others. */
function form(id: string, payload: string, bytes: number): string {
  const fields = {
    dataActionId: id,
    eventType: EVENT_TYPE,
    timestamp: TIMESTAMP,
    ...JSON.parse(`{${payload}}`),
  }
  const before = `${new URLSearchParams(fields)}&text=`
  const fill = room(bytes, before.length, payload)
  // Texts of people have blanks, which a decoder has to replace.
  return `${before}${'xxxxxxx+'.repeat(Math.ceil(fill / 8)).slice(0, fill)}`
}

function room(bytes: number, taken: number, payload: string): number {
  if (taken > bytes) throw new Error(`a body of ${bytes} bytes is too small for ${payload}`)
  return bytes - taken
}
