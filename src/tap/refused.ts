import { ERRORS } from '../contract/errors.js'
import type { KeptRequest, RefusedRequest } from '../http/refused.js'
import { type MaskPath, withoutHidden } from '../lib/json/masked.js'
import { redactor, type Secrets } from '../process/redact.js'
import { beginning, maskedBody } from './body.js'
import type { RefusedLine } from './line.js'

/** The masks of pipelines by name; a pipeline that has been removed is absent. */
export type MasksOf = ReadonlyMap<string, readonly MaskPath[]>

interface RefusedView {
  /** Maximum bytes of the body; 0 omits it. */
  readonly payload: number
  readonly masksOf: MasksOf
  readonly secrets: Secrets
}

/** The pipeline of requests on paths that none serves. */
const NONE = 'none'

/** A refused request without anything secret: the same masks and replacements as for events. */
export function refusedLine({ number, refused }: KeptRequest, view: RefusedView): RefusedLine {
  const { at, pipeline, method, path, status, code, remoteAddress, requestId, headers, bytes } = refused
  const redact = redactor(view.secrets)
  const masks = pipeline === NONE ? [] : view.masksOf.get(pipeline)
  const body = maskedBody(refused.body, masks ?? [])
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
    ...(view.payload > 0 && shownBody(refused, body?.text, isHidden, view)),
  }
}

function shownBody(
  { body, bytes, headers }: RefusedRequest,
  json: string | undefined,
  isHidden: boolean,
  { payload, secrets }: RefusedView,
): Pick<RefusedLine, 'payload' | 'cut' | 'unshown'> {
  if (bytes === undefined || bytes === 0) return {}
  if (body === undefined) return { unshown: 'It is longer than what is kept of a refused request.' }
  const encoding = headers['content-encoding']
  if (json === undefined && encoding !== undefined) return { unshown: `It is compressed (${encoding}).` }
  if (isHidden) return { unshown: 'It is not JSON, so the values to mask cannot be found in it.' }
  return beginning(json ?? body.toString('utf8'), payload, secrets, redactor(secrets))
}
