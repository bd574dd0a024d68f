import type { Event, Handshake, HttpRequest, JsonBody } from '../../../contract/index.js'
import { type Batch, linesOf, splitter, splitting } from './batch.js'
import type { BodyReader } from './body.js'
import type { ContentEncoding } from './content-encoding.js'
import { eventId } from './event-id.js'
import { bodyHandshake } from './handshake/by-body.js'
import type { Settings } from './settings.js'
import type { Verifier } from './verify/verifier.js'

/** Compiles the function that turns a request into an event or a batch, or answers a handshake. It throws a HeadgateError of kind `data`. */
export function receiver(
  settings: Settings,
  { body: verifyBytes, parsed: verifyBody }: Verifier,
  { decode }: ContentEncoding,
  { read, isLines }: BodyReader,
): (request: HttpRequest) => Event | Batch | Handshake {
  const idOf = eventId(settings.eventId)
  const { handshake, verify, publicUrl, maxDepth } = settings
  const split = splitting(settings.split)
  const itemsOf = split && splitter(split)
  const shake = handshake?.form === 'body' ? bodyHandshake(handshake, verify, publicUrl) : undefined
  return (request) => {
    const { headers, body: sent } = request
    // The signature is of the bytes as sent, and nothing is inflated for an unverified sender.
    verifyBytes?.(request, sent)
    const bytes = decode(headers, sent)
    if (split !== undefined && isLines(headers))
      return batchOf({ bytes }, linesOf(bytes, split, maxDepth), request)
    const body = read(headers, bytes)
    verifyBody?.(body)
    const answered = shake?.(request, body, sent)
    if (answered !== undefined) return answered
    return itemsOf === undefined ? eventOf(body, request) : batchOf(body, itemsOf(body), request)
  }

  function batchOf(body: Batch['body'], items: readonly (() => JsonBody)[], request: HttpRequest): Batch {
    return { kind: 'batch', body, items: items.map((item) => () => eventOf(item(), request)) }
  }

  function eventOf(body: JsonBody, request: HttpRequest): Event {
    const id = idOf(request, body)
    const { traceparent, receivedAt } = request
    if (traceparent === undefined) return { id, body, receivedAt }
    const { tracestate } = request
    return tracestate === undefined
      ? { id, body, receivedAt, traceparent }
      : { id, body, receivedAt, traceparent, tracestate }
  }
}
