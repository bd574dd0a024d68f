import { bytesOf, hexText } from '../events/hex-text.js'

/** How a body is typed: bytes that are no text are written in hexadecimal or base64. */
export type BodyForm = 'text' | 'crlf' | 'hex' | 'base64'

export interface TypedBody {
  readonly form: BodyForm
  readonly body: string
}

export const BODY_FORMS: readonly { readonly value: BodyForm; readonly title: string }[] = [
  { value: 'text', title: 'text' },
  { value: 'crlf', title: 'text, its lines end with CR LF' },
  { value: 'hex', title: 'bytes in hexadecimal' },
  { value: 'base64', title: 'bytes in base64' },
]

type Bytes = Uint8Array<ArrayBuffer>

/** The bytes of a typed body, or why there are none. */
export function bytesOfBody({
  form,
  body,
}: TypedBody): { readonly bytes: Bytes } | { readonly problem: string } {
  if (form === 'text') return { bytes: new TextEncoder().encode(body) }
  if (form === 'crlf') return { bytes: new TextEncoder().encode(body.replace(/\r?\n/g, '\r\n')) }
  return form === 'hex' ? bytesOfHex(body) : bytesOfBase64(body)
}

function bytesOfHex(typed: string): ReturnType<typeof bytesOfBody> {
  const digits = typed.replace(/\b0x|[\s:,-]+/gi, '')
  const other = /[^0-9a-f]/i.exec(digits)
  if (other !== null)
    return { problem: `The body should be hexadecimal digits, two for each byte; it has "${other[0]}".` }
  if (digits.length % 2 === 1)
    return {
      problem: `The body should be hexadecimal digits, two for each byte; it has ${digits.length}, so one is missing.`,
    }
  return { bytes: bytesOf(digits) }
}

function bytesOfBase64(typed: string): ReturnType<typeof bytesOfBody> {
  try {
    const binary = atob(typed.replaceAll('-', '+').replaceAll('_', '/'))
    return { bytes: Uint8Array.from(binary, (character) => character.charCodeAt(0)) }
  } catch {
    return { problem: 'The body should be base64: letters, digits, "+" and "/", in groups of four.' }
  }
}

/** Up to so many bytes, a person can read them in hexadecimal. */
const MOST_HEX = 4096

/** Bytes as somebody would type them; as text if none of them would change in a field for text. */
export function typedBodyOf(bytes: Bytes): TypedBody {
  const text = typedText(bytes)
  if (text !== undefined) return text
  return bytes.length > MOST_HEX
    ? { form: 'base64', body: base64Of(bytes) }
    : { form: 'hex', body: hexOf(bytes) }
}

/** Undefined if a field for text would change it. */
function typedText(bytes: Bytes): TypedBody | undefined {
  const text = textOf(bytes)
  if (text === undefined) return undefined
  if (!text.includes('\r')) return { form: 'text', body: text }
  const isMixed = /\r(?!\n)|(?<!\r)\n/.test(text)
  return isMixed ? undefined : { form: 'crlf', body: text.replaceAll('\r\n', '\n') }
}

/** The same body in another form; undefined if it would be another one. */
export function retyped(typed: TypedBody, form: BodyForm): TypedBody | undefined {
  const { body } = typed
  const read = bytesOfBody(typed)
  // Half of a body may be typed; and the line ends of a text are what the two forms of text are for.
  if ('problem' in read || (isText(form) && isText(typed.form))) return { form, body }
  if (form === 'hex') return { form, body: hexOf(read.bytes) }
  if (form === 'base64') return { form, body: base64Of(read.bytes) }
  return typedText(read.bytes)
}

const isText = (form: BodyForm): boolean => form === 'text' || form === 'crlf'

const EACH = 16

function hexOf(bytes: Bytes): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += EACH)
    lines.push([...bytes.subarray(at, at + EACH)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '))
  return lines.join('\n')
}

/** Bytes that become characters at once: more arguments than this, a function does not take. */
const CHUNK = 8192

export function base64Of(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK)
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  return btoa(binary)
}

/** Undefined if it is not UTF-8, or has characters that no text has. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return CONTROL.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

const CONTROL = /[^\P{Cc}\t\n\f\r]/u

const MOST_SHOWN = 512

/** The bytes of a value in base64 as people read them, or the first of them. */
export function shownBytes(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  const more = bytes.length - MOST_SHOWN
  return `${hexText(bytes.subarray(0, MOST_SHOWN))}${more > 0 ? `\n… and ${more} more bytes` : ''}`
}
