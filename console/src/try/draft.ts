import type { EventDetail } from '../../../src/tap/line.js'
import { indented } from '../events/json-text.js'

/** The event to try, as somebody types it. */
export interface Draft {
  /** Empty for the first one. */
  readonly pipeline: string
  readonly body: string
  /** One a line, as `Name: value`. */
  readonly headers: string
  readonly method: string
  readonly query: string
}

/** The draft of an event that was received. Undefined if its body is not here as a whole, or is no text. */
export function draftOf({ pipeline, payload, cut, received }: EventDetail): Partial<Draft> | undefined {
  if (received === undefined)
    return payload === undefined || cut ? undefined : { pipeline, body: indented(payload) }
  const { type, text, cut: isCut } = received
  if (text === undefined || isCut) return undefined
  return { pipeline, body: text, ...(type !== undefined && { headers: `Content-Type: ${type}` }) }
}
