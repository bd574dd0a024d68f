import { randomUUID } from 'node:crypto'
import type { JsonBody, JsonPointer } from '../../contract/index.js'
import { Decimal, isSameNumber } from './decimal.js'

/** Different numbers of up to this many digits are different doubles, so that comparing the doubles is correct. */
const SAFE_DIGITS = 15

/** The characters of numbers, and a sequence of them that a double may not represent: 16 digits, or a large exponent. */
const NUMERIC = new Uint8Array(256)
for (const character of '0123456789.+-eE') NUMERIC[character.charCodeAt(0)] = 1
const SUSPICIOUS = /\d[\d.]{15}|[eE][+-]?\d{3}/
const SHORTEST = 5

/** Texts, which may contain digits, and numbers. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g

/** Prefix of a number that has been turned into a text. No sender can guess it. */
const MARK = `${randomUUID()}:`
const MARKED = new RegExp(`"${MARK}([^"]*)"`, 'g')

/**
 * Parses JSON, with a Decimal for each number that a double cannot tell from others. Undefined if there is none. The bytes have
 * passed JSON.parse.
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

/** Also true for some texts. Checks only every fifth byte, because it runs for each event: 0.1 us for one KB. */
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
  // Doubles have their full precision from 1e-308 to 1e308.
  return exponent === undefined || Math.abs(Number(exponent)) + mantissa.length < 300
}

/** A value of a schema as JSON, with its numbers as they were written. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Decimal ? `${MARK}${inner.source}` : inner,
  )
  return text.replace(MARKED, '$1')
}

/**
 * The value at a pointer as compact JSON, as JSON.stringify writes it. Numbers that a double cannot represent are written as they
 * were sent. Undefined if there is no value.
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
  // Parsed again, so that equal keys and the order of keys are as JSON.parse and JSON.stringify leave them.
  return isMarked ? JSON.stringify(JSON.parse(marked)).replace(MARKED, '$1') : text
}

/** A number as JSON.stringify writes it if it may be rounded or is too large for a double. Some texts match, too. */
const ROUNDED = /\d{16}|\de[-+]\d|null/
