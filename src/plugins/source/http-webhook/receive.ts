import { HeadgateError } from '../../../contract/errors.js'
import type { Event, Handshake, HttpHead, HttpRequest } from '../../../contract/index.js'
import { parseBody } from '../../../lib/json/body.js'
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
): (request: HttpRequest) => Event | Handshake {
  const { maxDepth } = settings
  const idOf = eventId(settings.eventId)
  const { handshake, verify, publicUrl } = settings
  const shake = handshake?.form === 'body' ? bodyHandshake(handshake, verify, publicUrl) : undefined
  return (request) => {
    const { headers, body: sent, receivedAt } = request
    // The signature is of the bytes as sent, and nothing is inflated for an unverified sender.
    verifyBytes?.(request, sent)
    const body = parseBody(decode(headers, sent), maxDepth)
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

const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.+-]+\+json)[ \t]*(?:;(.*))?$/is
/** One parameter, or none between two semicolons (RFC 9110, 5.6.6). A quoted value may have semicolons in it. */
const PARAMETER =
  /[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s";]*))[ \t]*)?(?:;|$)/gsy
/** `utf8` is not a registered name, but has no other meaning. */
const UTF_8 = new Set(['utf-8', 'utf8'])

/** Throws HG_INTAKE_MEDIA_TYPE for a body that is not declared as JSON in UTF-8. */
export function requireJson(headers: HttpHead['headers']): void {
  const type = headers['content-type']
  if (type === 'application/json') return
  if (type === undefined) throw mediaType('The Content-Type header is missing')
  const match = JSON_TYPE.exec(String(type))
  if (match === null) throw mediaType('The Content-Type is not JSON')
  for (const [, name, quoted, plain = ''] of (match[1] ?? '').matchAll(PARAMETER)) {
    if (name?.toLowerCase() !== 'charset') continue
    const charset = quoted?.replace(/\\(.)/gs, '$1') ?? plain
    if (!UTF_8.has(charset.toLowerCase())) throw mediaType('The charset is not UTF-8')
  }
}

const mediaType = (found: string): HeadgateError =>
  new HeadgateError('HG_INTAKE_MEDIA_TYPE', `${found}; expected application/json in UTF-8.`)
