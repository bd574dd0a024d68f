import { gunzipSync } from 'node:zlib'
import { ERRORS } from '../contract/errors.js'
import type { KeptRequest, RefusedRequest } from '../http/refused.js'
import { type MaskPath, withoutHidden } from '../lib/json/masked.js'
import { redactor, type Secrets } from '../process/redact.js'
import { beginning, maskedBody } from './body.js'
import type { RefusedLine } from './line.js'
import { receivedBody } from './received.js'

/** The masks of pipelines by name; a pipeline that has been removed is absent. */
export type MasksOf = ReadonlyMap<string, readonly MaskPath[]>

interface RefusedView {
  /** Maximum bytes of the body; 0 omits it. */
  readonly payload: number
  readonly masksOf: MasksOf
  readonly secrets: Secrets
}

/** Names of the compression that sources accept. */
const GZIP = ['gzip', 'x-gzip']
/** Bytes. Eight kilobytes of gzip can become eight megabytes. */
const MOST_INFLATED = 64 * 1024

/** The pipeline of requests on paths that none serves. */
const NONE = 'none'

/** A refused request without anything secret: the same masks and replacements as for events. */
export function refusedLine({ number, refused }: KeptRequest, view: RefusedView): RefusedLine {
  const { at, pipeline, method, path, status, code, remoteAddress, requestId, headers, bytes } = refused
  const redact = redactor(view.secrets)
  const masks = pipeline === NONE ? [] : view.masksOf.get(pipeline)
  const content = contentOf(refused, view)
  const body = maskedBody(content, masks ?? [])
  // Without the document, the values to mask are unknown, so a message could contain them.
  const isHidden = masks === undefined || (masks.length > 0 && body === undefined && bytes !== undefined)
  const hide = (text: string) => redact(withoutHidden(text, body?.hidden ?? new Set()))
  const message = isHidden && code !== undefined ? ERRORS[code].meaning : hide(refused.message)
  const violations = isHidden
    ? []
    : refused.violations.map((one) => ({ pointer: hide(one.pointer), message: hide(one.message) }))
  return {
    number,
    time: new Date(at).toISOString(),
    ...(pipeline !== NONE && { pipeline }),
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path: redact(path) }),
    status,
    ...(code !== undefined && { code }),
    message,
    ...(violations.length > 0 && { violations }),
    ...(requestId !== undefined && { requestId: redact(requestId) }),
    ...(remoteAddress !== undefined && { remoteAddress }),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redact(value)])),
    ...(bytes !== undefined && { bytes }),
    ...(view.payload > 0 && shownBody(refused, content, body?.text, isHidden, view)),
  }
}

/** The body without its compression; undefined if there is none, or if the compression cannot be undone. */
function contentOf({ body, headers }: RefusedRequest, { payload }: RefusedView): Buffer | undefined {
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity'
  if (body === undefined || encoding === 'identity') return body
  // A list has no bodies, and is not worth the time.
  if (payload === 0 || !GZIP.includes(encoding)) return undefined
  try {
    return gunzipSync(body, { maxOutputLength: MOST_INFLATED })
  } catch {
    return undefined
  }
}

function shownBody(
  { body, bytes, headers }: RefusedRequest,
  content: Buffer | undefined,
  json: string | undefined,
  isHidden: boolean,
  { payload, secrets }: RefusedView,
): Pick<RefusedLine, 'payload' | 'hex' | 'cut' | 'unshown'> {
  if (bytes === undefined || bytes === 0) return {}
  if (body === undefined) return { unshown: 'It is longer than what is kept of a refused request.' }
  // Secrets could not be recognised in compressed bytes.
  if (content === undefined)
    return { unshown: `Its compression (${headers['content-encoding']}) cannot be undone.` }
  if (isHidden) return { unshown: 'It is not JSON, so the values to mask cannot be found in it.' }
  if (json !== undefined) return beginning(json, payload, secrets, redactor(secrets))
  const received = receivedBody({ bytes: content }, undefined, { payload, hasMasks: false, secrets })
  const { text, ...others } = received
  return text === undefined ? others : { ...others, payload: text }
}
