import { randomUUID } from 'node:crypto'
import type { JsonBody, JsonPointer } from '../../contract/index.js'
import { Decimal, isSameNumber } from './decimal.js'

/** A number of so many digits is a double of its own, so that doubles compare as the numbers do. */
const SAFE_DIGITS = 15

/** The characters of numbers, and a run of them that doubles may not tell from others: 16 digits, or a large exponent. */
const NUMERIC = new Uint8Array(256)
for (const character of '0123456789.+-eE') NUMERIC[character.charCodeAt(0)] = 1
const SUSPICIOUS = /\d[\d.]{15}|[eE][+-]?\d{3}/
const SHORTEST = 5

/** Texts, which may contain digits, and numbers. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g

/** In front of a number that has become a text. No sender can guess it. */
const MARK = `${randomUUID()}:`
const MARKED = new RegExp(`"${MARK}([^"]*)"`, 'g')

/**
 * Parses JSON, with a Decimal for each number that a double cannot tell from others. Undefined if there is none. `text` has passed JSON.parse; bytes of other characters than ASCII may stand in it as latin-1.
 */
export function parseExact(bytes: Buffer): unknown {
  if (!isSuspicious(bytes)) return undefined
  let found = 0
  const text = bytes.toString('utf8').replace(/^\ufeff/, '')
  const marked = text.replace(TOKENS, (token) => {
    if (token.startsWith('"') || isExact(token)) return token
    found++
    return `"${MARK}${token}"`
  })
  if (found === 0) return undefined
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? Decimal.parse(value.slice(MARK.length)) : value,
  )
}

/** Also true for some texts. Looks at every fifth byte, since this is done for each event: 0.1 us for one KB. */
function isSuspicious(bytes: Buffer): boolean {
  for (let at = SHORTEST - 1; at < bytes.length; at += SHORTEST) {
    if (NUMERIC[bytes[at] as number] === 0) continue
    let start = at
    while (start > 0 && NUMERIC[bytes[start - 1] as number] === 1) start--
    let end = at + 1
    while (end < bytes.length && NUMERIC[bytes[end] as number] === 1) end++
    if (end - start >= SHORTEST && SUSPICIOUS.test(bytes.toString('latin1', start, end))) return true
    at = end
  }
  return false
}

function isExact(token: string): boolean {
  const [mantissa = '', exponent] = token.split(/[eE]/)
  if (mantissa.replace(/^-?0*\.?0*|[.]/g, '').length > SAFE_DIGITS) return false
  // Doubles reach from 1e-308 to 1e308 with all their digits.
  return exponent === undefined || Math.abs(Number(exponent)) + mantissa.length < 300
}

/** A value of a schema as JSON, its numbers as they were written. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Decimal ? `${MARK}${inner.source}` : inner,
  )
  return text.replace(MARKED, '$1')
}

/**
 * The value at a pointer as compact JSON. As JSON.stringify writes it, except for numbers that a double cannot hold: these are
 * written as they were sent. Undefined if there is no value.
 */
export function compactText(body: JsonBody, at: JsonPointer): string | undefined {
  const text = JSON.stringify(at.read(body.value)) as string | undefined
  if (text === undefined || !ROUNDED.test(text)) return text
  const sent = body.slice(at)?.toString() ?? ''
  let isMarked = false
  const marked = sent.replace(TOKENS, (token) => {
    if (token.startsWith('"') || isSameNumber(String(Number(token)), token)) return token
    isMarked = true
    return `"${MARK}${token}"`
  })
  // Parsed once more for equal keys and for the order of keys, which JSON.parse changes.
  return isMarked ? JSON.stringify(JSON.parse(marked)).replace(MARKED, '$1') : text
}

/** A number as JSON.stringify writes it if it may be rounded or is too large for a double. Some texts match, too. */
const ROUNDED = /\d{16}|\de[-+]\d|null/
