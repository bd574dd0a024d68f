import { isUtf8 } from 'node:buffer'
import { type Masked, type MaskPath, masked } from '../lib/json/masked.js'
import { longestForm } from '../process/redact.js'

/** Undefined if there is none, or if it is not JSON in UTF-8 or nested too deeply. */
export function maskedBody(bytes: Buffer | undefined, masks: readonly MaskPath[]): Masked | undefined {
  // As a text, other bytes would be changed, and could look like JSON.
  if (bytes === undefined || !isUtf8(bytes)) return undefined
  try {
    return masked(bytes.toString('utf8'), masks)
  } catch {
    return undefined
  }
}

/** The beginning of a text, cut so that no secret is split: half of a secret would not be recognised. */
export function beginning(
  text: string,
  most: number,
  secrets: ReadonlyMap<string, string>,
  redact: (text: string) => string,
): { readonly payload: string; readonly cut?: true } {
  const longest = longestForm(secrets)
  const redacted = redact(text.slice(0, most + longest))
  const whole = text.length <= most + longest
  // Redaction shortens the text, so its end, which may be half of a secret, can move into the first `most` bytes.
  const payload = upTo(most, whole ? redacted : redacted.slice(0, Math.max(0, redacted.length - longest)))
  return { payload, ...((!whole || payload.length < redacted.length) && { cut: true }) }
}

/** At most so many bytes of UTF-8, without splitting a character. */
function upTo(most: number, text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= most) return text
  let end = most
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
