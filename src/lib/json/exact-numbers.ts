import { randomUUID } from 'node:crypto'
import type { JsonBody, JsonPointer } from '../../contract/index.js'

/** The same text for equal numbers, whatever form of JSON they have, and for no others. */
export function canonicalNumber(text: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text) ?? []
  const digits = whole + fraction
  let from = 0
  while (digits[from] === '0') from++
  let to = digits.length
  while (to > from && digits[to - 1] === '0') to--
  if (from === to) return '0'
  // The digits stand behind "0.".
  return `${sign}${digits.slice(from, to)}e${whole.length - from + Number(exponent)}`
}

export const isSameNumber = (a: string, b: string): boolean =>
  a === b || canonicalNumber(a) === canonicalNumber(b)

/**
 * The value at a place as compact JSON, which is that of JSON.stringify but for numbers that a double cannot hold: they
 * stand there as they were sent. Undefined where there is nothing.
 */
export function compactText(body: JsonBody, at: JsonPointer): string | undefined {
  const text = JSON.stringify(at.read(body.value)) as string | undefined
  if (text === undefined || !SUSPICIOUS.test(text)) return text
  const sent = body.slice(at)?.toString() ?? ''
  let numbers: string[] | undefined
  const marked = sent.replace(TOKEN, (token) => {
    if (token.startsWith('"') || isSameNumber(String(Number(token)), token)) return token
    numbers ??= []
    numbers.push(token)
    return `"${MARK}${numbers.length - 1}"`
  })
  if (numbers === undefined) return text
  // Parsed once more, for equal keys and for the order of keys, in which JSON.parse has its own mind.
  return JSON.stringify(JSON.parse(marked)).replace(MARKED, (_, index) => numbers?.[Number(index)] ?? '')
}

/** What JSON.stringify makes of a number that it may have rounded, or that is too large for a double. Texts have it too. */
const SUSPICIOUS = /\d{16}|\de[-+]\d|null/

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g

/** Nobody can guess it, so that it is in no text that is sent. */
const MARK = randomUUID()
const MARKED = new RegExp(`"${MARK}(\\d+)"`, 'g')
