import { isText } from '../lib/is-text.js'
import { redactor, type Secrets } from '../process/redact.js'
import { beginning } from './body.js'
import type { ReceivedBody } from './line.js'

export interface ReceivedView {
  /** Maximum bytes of a body. */
  readonly payload: number
  readonly hasMasks: boolean
  readonly secrets: Secrets
}

/** A body that is not JSON, as it was received, without anything secret. `json`: the body as it is decoded, if it can be. */
export function receivedBody(
  { type, bytes }: { readonly type?: string | undefined; readonly bytes: Buffer },
  json: string | undefined,
  { payload, hasMasks, secrets }: ReceivedView,
): ReceivedBody {
  const redact = redactor(secrets)
  const shown = type === undefined ? {} : { type: redact(type) }
  if (hasMasks) return { ...shown, unshown: 'The values to mask can be found in JSON only.' }
  // Forms and XML write some characters in a notation of their own, so a secret would not be recognised.
  if (json !== undefined && redact(json) !== json) return { ...shown, unshown: SECRET }
  const text = bytes.toString('utf8')
  if (isText(bytes)) {
    const { payload: start, cut } = beginning(text, payload, secrets, redact)
    return { ...shown, text: start, ...(cut && { cut }) }
  }
  if (redact(text) !== text) return { ...shown, unshown: SECRET }
  return {
    ...shown,
    hex: bytes.toString('hex', 0, payload),
    ...(bytes.length > payload && { cut: true }),
  }
}

const SECRET = 'It has a secret of the config.'
