import type { ReceivedBody } from '../../../src/tap/line.js'
import { bytesOf } from '../events/hex-text.js'
import { indented } from '../events/json-text.js'
import { type TypedBody, typedBodyOf } from './body-form.js'

/** The event to try, as somebody types it. */
export interface Draft extends TypedBody {
  /** Empty for the first one. */
  readonly pipeline: string
  /** One a line, as `Name: value`. */
  readonly headers: string
  readonly method: string
  readonly query: string
}

/** An event of the tap, or a dead letter. */
interface KnownEvent {
  readonly pipeline: string
  readonly payload?: string
  readonly cut?: true
  readonly received?: ReceivedBody
}

/** The draft of an event that was received. Undefined if its body is not here as a whole. */
export function draftOf({ pipeline, payload, cut, received }: KnownEvent): Partial<Draft> | undefined {
  if (received === undefined)
    return payload === undefined || cut ? undefined : { pipeline, form: 'text', body: indented(payload) }
  const { type, text, hex, cut: isCut } = received
  const bytes =
    text !== undefined ? new TextEncoder().encode(text) : hex === undefined ? undefined : bytesOf(hex)
  if (bytes === undefined || isCut) return undefined
  return {
    pipeline,
    ...typedBodyOf(bytes),
    ...(type !== undefined && { headers: `Content-Type: ${type}` }),
  }
}
