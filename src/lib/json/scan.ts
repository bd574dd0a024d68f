/**
 * Finds values in JSON bytes without parsing them, so that the bytes in Kafka are those that were sent: integers over 2^53,
 * `1.0`, key order and escapes included. The bytes have passed JSON.parse, so nothing is checked twice here.
 */

/** A member of the top-level object: its key and the bytes [start, end) of its value. */
export interface Member {
  readonly key: string
  readonly start: number
  readonly end: number
}

export interface Envelope {
  /** In the order of the bytes; empty if the top level is not an object. */
  readonly members: readonly Member[]
  /** How deeply arrays and objects are nested; 0 for a scalar. */
  readonly depth: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** One pass over the whole document: the members of the top-level object, and the depth of everything. */
export function scanEnvelope(bytes: Buffer): Envelope {
  const members: Member[] = []
  const topIsObject = bytes[skipSpace(bytes, 0)] === OPEN_BRACE
  let depth = 0
  let deepest = 0
  let key: string | undefined
  let start = 0
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE: {
        const end = endOfString(bytes, at)
        if (topIsObject && depth === 1 && key === undefined) key = text(bytes, at, end)
        at = end - 1
        break
      }
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth++
        if (depth > deepest) deepest = depth
        break
      case COLON:
        if (depth === 1) start = skipSpace(bytes, at + 1)
        break
      case COMMA:
        if (depth === 1 && key !== undefined) {
          members.push({ key, start, end: trimEnd(bytes, at) })
          key = undefined
        }
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (depth === 1 && key !== undefined) members.push({ key, start, end: trimEnd(bytes, at) })
        depth--
        break
    }
  }
  return { members, depth: deepest }
}

/** The bytes [start, end) of the value that `tokens` lead to below the value at `from`; the last of equal keys counts. */
export function locate(
  bytes: Buffer,
  from: number,
  tokens: readonly string[],
): readonly [number, number] | undefined {
  let start = skipSpace(bytes, from)
  for (const token of tokens) {
    const found =
      bytes[start] === OPEN_BRACE
        ? memberOf(bytes, start, token)
        : bytes[start] === OPEN_BRACKET
          ? elementOf(bytes, start, token)
          : undefined
    if (found === undefined) return undefined
    start = found
  }
  return [start, endOfValue(bytes, start)]
}

/** The bytes [start, end) of each element of an array. */
export function elements(bytes: Buffer): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = []
  let at = skipSpace(bytes, skipSpace(bytes, 0) + 1)
  while (bytes[at] !== CLOSE_BRACKET) {
    const end = endOfValue(bytes, at)
    found.push([at, end])
    at = skipSpace(bytes, end)
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1)
  }
  return found
}

function memberOf(bytes: Buffer, object: number, key: string): number | undefined {
  let found: number | undefined
  let at = skipSpace(bytes, object + 1)
  while (bytes[at] === QUOTE) {
    const endOfKey = endOfString(bytes, at)
    const value = skipSpace(bytes, skipSpace(bytes, endOfKey) + 1)
    if (text(bytes, at, endOfKey) === key) found = value
    at = skipSpace(bytes, endOfValue(bytes, value))
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1)
  }
  return found
}

function elementOf(bytes: Buffer, array: number, token: string): number | undefined {
  const index = /^(?:0|[1-9][0-9]*)$/.test(token) ? Number(token) : -1
  let at = skipSpace(bytes, array + 1)
  for (let position = 0; bytes[at] !== CLOSE_BRACKET; position++) {
    if (position === index) return at
    at = skipSpace(bytes, endOfValue(bytes, at))
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1)
  }
  return undefined
}

function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start]
  if (first === QUOTE) return endOfString(bytes, start)
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return endOfScalar(bytes, start)
  let depth = 0
  for (let at = start; ; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfString(bytes, at) - 1
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return at + 1
  }
}

function endOfScalar(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length && !isSpace(bytes[at]) && !endsScalar(bytes[at])) at++
  return at
}

/** After this many bytes of a string, memchr takes over: a call of it costs as much as comparing these bytes one by one. */
const SHORT = 32

/** The offset after the closing quote of the string that opens at `quote`. */
function endOfString(bytes: Buffer, quote: number): number {
  let at = quote + 1
  for (;;) {
    for (const far = at + SHORT; at < far; at++) {
      const byte = bytes[at]
      if (byte === QUOTE) return at + 1
      if (byte === BACKSLASH) at++
    }
    const next = bytes.indexOf(QUOTE, at)
    if (!isEscaped(bytes, next, at)) return next + 1
    at = next + 1
  }
}

/** Whether an odd number of backslashes precedes the byte at `at`; `from` begins a character. */
function isEscaped(bytes: Buffer, at: number, from: number): boolean {
  let first = at
  while (first > from && bytes[first - 1] === BACKSLASH) first--
  return (at - first) % 2 === 1
}

function text(bytes: Buffer, quote: number, end: number): string {
  const raw = bytes.toString('utf8', quote + 1, end - 1)
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
}

const endsScalar = (byte: number | undefined): boolean =>
  byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (isSpace(bytes[at])) at++
  return at
}

function trimEnd(bytes: Buffer, end: number): number {
  let at = end
  while (isSpace(bytes[at - 1])) at--
  return at
}
