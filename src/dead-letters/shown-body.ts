import { acceptedBody } from '../lib/body/decode.js'
import type { MaskPath } from '../lib/json/masked.js'
import { redactor } from '../process/redact.js'
import { beginning, maskedBody } from '../tap/body.js'
import { receivedBody } from '../tap/received.js'
import type { DeadLetter } from './letter.js'
import type { LetterDetail } from './messages.js'

/** Bytes of a body that are shown. */
const MOST_PAYLOAD = 512 * 1024

/** The JSON of a dead letter's value; the value itself if it cannot be decoded. */
export function jsonOf(value: Buffer, { contentType }: Pick<DeadLetter, 'contentType'>): Buffer {
  if (contentType === undefined) return value
  try {
    return acceptedBody(value, contentType).bytes
  } catch {
    return value
  }
}

/** The body of a dead letter. Only one without anything masked or secret can be edited. */
export function shownBody(
  value: Buffer,
  letter: Pick<DeadLetter, 'contentType'>,
  masks: readonly MaskPath[],
  secrets: ReadonlyMap<string, string>,
): Pick<LetterDetail, 'payload' | 'cut' | 'received' | 'editable'> {
  const redact = redactor(secrets)
  const json = maskedBody(jsonOf(value, letter), masks)
  const payload = json === undefined ? {} : beginning(json.text, MOST_PAYLOAD, secrets, redact)
  if (letter.contentType === undefined && json !== undefined) {
    const { text, hidden } = json
    const isWhole = hidden.size === 0 && value.length <= MOST_PAYLOAD
    return { ...payload, editable: isWhole && redact(text) === text }
  }
  const view = { payload: MOST_PAYLOAD, hasMasks: masks.length > 0, secrets }
  const received = receivedBody({ type: letter.contentType, bytes: value }, json?.text, view)
  return { ...payload, received, editable: isEditable(received.text, value) }
}

/** A field for text in a browser changes line breaks of two characters, which multipart bodies consist of. */
const isEditable = (text: string | undefined, value: Buffer): boolean =>
  text !== undefined && !text.includes('\r') && Buffer.from(text).equals(value)
