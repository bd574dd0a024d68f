import type { Event, Handshake, HttpRequest } from '../../../contract/index.js'
import type { BodyReader } from './body.js'
import type { ContentEncoding } from './content-encoding.js'
import { eventId } from './event-id.js'
import { bodyHandshake } from './handshake/by-body.js'
import type { Settings } from './settings.js'
import type { Verifier } from './verify/verifier.js'

/** Compiles the function that turns a request into an event, or answers a handshake. It throws a HeadgateError of kind `data`. */
export function receiver(
  settings: Settings,
  { body: verifyBytes, parsed: verifyBody }: Verifier,
  { decode }: ContentEncoding,
  { read }: BodyReader,
): (request: HttpRequest) => Event | Handshake {
  const idOf = eventId(settings.eventId)
  const { handshake, verify, publicUrl } = settings
  const shake = handshake?.form === 'body' ? bodyHandshake(handshake, verify, publicUrl) : undefined
  return (request) => {
    const { headers, body: sent, receivedAt } = request
    // The signature is of the bytes as sent, and nothing is inflated for an unverified sender.
    verifyBytes?.(request, sent)
    const body = read(headers, decode(headers, sent))
    verifyBody?.(body)
    const answered = shake?.(request, body, sent)
    if (answered !== undefined) return answered
    const id = idOf(request, body)
    const { traceparent } = request
    if (traceparent === undefined) return { id, body, receivedAt }
    const { tracestate } = request
    return tracestate === undefined
      ? { id, body, receivedAt, traceparent }
      : { id, body, receivedAt, traceparent, tracestate }
  }
}
