import { parseBody } from '../../../json/body.js'
import type { Event, HttpRequest } from '../../../plugin.js'
import type { ContentEncoding } from './content-encoding.js'
import { eventId } from './event-id.js'
import type { Settings } from './settings.js'
import type { Verifier } from './verify/verifier.js'

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** Compiles what makes an event of a request. It throws a HeadgateError of kind `data`. */
export function receiver(
  settings: Settings,
  { body: verify }: Verifier,
  { decode }: ContentEncoding,
): (request: HttpRequest) => Event {
  const { maxDepth } = settings
  const idOf = eventId(settings.eventId)
  return ({ headers, body: sent, receivedAt }) => {
    // What was sent is what was signed, and strangers are not inflated for.
    verify?.(headers, sent)
    const body = parseBody(decode(headers, sent), maxDepth)
    const id = idOf(headers, body)
    const { traceparent } = headers
    return typeof traceparent === 'string' && TRACEPARENT.test(traceparent)
      ? { id, body, receivedAt, traceparent }
      : { id, body, receivedAt }
  }
}
