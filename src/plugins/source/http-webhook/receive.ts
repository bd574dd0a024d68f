import type { Event, HttpRequest } from '../../../contract/index.js'
import { parseBody } from '../../../lib/json/body.js'
import type { ContentEncoding } from './content-encoding.js'
import { eventId } from './event-id.js'
import type { Settings } from './settings.js'
import type { Verifier } from './verify/verifier.js'

/** Compiles what makes an event of a request. It throws a HeadgateError of kind `data`. */
export function receiver(
  settings: Settings,
  { body: verify }: Verifier,
  { decode }: ContentEncoding,
): (request: HttpRequest) => Event {
  const { maxDepth } = settings
  const idOf = eventId(settings.eventId)
  return (request) => {
    const { headers, body: sent, receivedAt } = request
    // What was sent is what was signed, and strangers are not inflated for.
    verify?.(headers, sent)
    const body = parseBody(decode(headers, sent), maxDepth)
    const id = idOf(headers, body)
    const { traceparent } = request
    if (traceparent === undefined) return { id, body, receivedAt }
    const { tracestate } = request
    return tracestate === undefined
      ? { id, body, receivedAt, traceparent }
      : { id, body, receivedAt, traceparent, tracestate }
  }
}
