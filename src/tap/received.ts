import { isUtf8 } from 'node:buffer'
import { redactor, type Secrets } from '../process/redact.js'
import { beginning } from './body.js'
import type { ReceivedBody } from './line.js'

export interface ReceivedView {
  /** Maximum bytes of a text. */
  readonly payload: number
  readonly hasMasks: boolean
  readonly secrets: Secrets
}

/** Bytes that are shown of a body that is no text. */
const MOST_BINARY = 512

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
  if (isUtf8(bytes) && !CONTROL.test(text)) {
    const { payload: start, cut } = beginning(text, payload, secrets, redact)
    return { ...shown, text: start, ...(cut && { cut }) }
  }
  if (redact(text) !== text) return { ...shown, unshown: SECRET }
  return {
    ...shown,
    hex: bytes.toString('hex', 0, MOST_BINARY),
    ...(bytes.length > MOST_BINARY && { cut: true }),
  }
}

const SECRET = 'It has a secret of the config.'

/** Characters that no text has. */
const CONTROL = /[^\P{Cc}\t\n\f\r]/u
