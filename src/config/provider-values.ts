import type { JsonBody } from '../contract/index.js'
import { parseBody } from '../lib/json/body.js'
import { child, pointer } from '../lib/json/pointer.js'

/** The value of a key in a file; the existing keys if it is missing; or why the file has no such value. */
export type KeyLookup =
  | { readonly value: string }
  | { readonly keys: readonly string[] }
  /** Continues "The file ...". It may contain keys of the file, and no other text from it. */
  | { readonly problem: string }

export function lookUpProperty(text: string, key: string): KeyLookup {
  const properties = parseProperties(text)
  if ('malformed' in properties)
    return { problem: `has a malformed \\u escape in line ${properties.malformed}` }
  const value = properties.values.get(key)
  return value === undefined ? { keys: [...properties.values.keys()] } : { value }
}

/** The keys that have a value. A line without one is more likely a part of the value before it than a key. */
export function keysOfProperties(text: string): string[] {
  const properties = parseProperties(text)
  if ('malformed' in properties) return []
  return [...properties.values].filter(([key, value]) => key !== '' && /[^=]/.test(value)).map(([key]) => key)
}

const DEEPEST = 100

/** `key` is a member of the top level, or a JSON Pointer. A number is returned as it is written. */
export function lookUpJson(text: string, key: string): KeyLookup {
  let body: JsonBody
  try {
    body = parseBody(Buffer.from(text), DEEPEST)
  } catch {
    // The message of the parser would quote the file.
    return { problem: 'is not JSON, or has a key twice' }
  }
  if (!/^(?:[^/]|(?:\/(?:[^~/]|~[01])*)*$)/.test(key))
    return { problem: `has no value at "${key}", which is not a JSON Pointer` }
  const place = pointer(key.startsWith('/') ? key : child('', key))
  const value = place.read(body.value)
  if (value === undefined) return { keys: nearKeys(body.value, key) }
  if (typeof value === 'string') return { value }
  if (typeof value === 'object') {
    const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object'
    return { problem: `has ${found} at "${key}", where text or a number is expected` }
  }
  return { value: body.slice(place)?.toString() ?? String(value) }
}

/** The keys of all texts, numbers and booleans: members of the top level by name, others by JSON Pointer. */
export function keysOfJson(text: string): string[] {
  const leaves = (value: unknown, at: string): string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, member]) => leaves(member, child(at, name)))
      : value === null || value === ''
        ? []
        : [at]
  return leaves(parseBody(Buffer.from(text), DEEPEST).value, '').map(shortest)
}

/** One form for a key that can be written in two: `/a` is `a`. */
export function shortest(key: string): string {
  if (!key.startsWith('/')) return key
  const [only = '', ...others] = pointer(key).tokens
  return others.length > 0 || only.startsWith('/') ? key : only
}

/** The keys at the same level as the missing one, in the same notation. */
function nearKeys(value: unknown, key: string): string[] {
  const parent = key.startsWith('/') ? key.slice(0, key.lastIndexOf('/')) : ''
  const around = pointer(parent).read(value)
  if (typeof around !== 'object' || around === null || Array.isArray(around)) return []
  return Object.keys(around).map((name) => (key.startsWith('/') ? child(parent, name) : name))
}

/** The values of a file of Java properties; or the line of the first escape that Java would refuse. */
export type Properties = { readonly values: ReadonlyMap<string, string> } | { readonly malformed: number }

const ESCAPES: { readonly [letter: string]: string } = { t: '\t', n: '\n', r: '\r', f: '\f' }

/**
 * Reads a text as java.util.Properties does: comments with # or !, keys that end at =, : or white space, lines that a
 * backslash continues, escapes. Of equal keys the last one counts.
 */
export function parseProperties(text: string): Properties {
  const values = new Map<string, string>()
  for (const { content, number } of logicalLines(text)) {
    const [, key = '', value = ''] = LINE.exec(content) ?? []
    try {
      values.set(unescaped(key), unescaped(value))
    } catch {
      return { malformed: number }
    }
  }
  return { values }
}

/** The key ends at the first separator that is not escaped; one = or : may have white space around it. */
const LINE = /^((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)$/s

const COMMENT_OR_BLANK = /^[ \t\f]*(?:[#!]|$)/
const CONTINUED = /(?:^|[^\\])(?:\\\\)*\\$/

/**
 * Lines joined with their continuation lines. A comment has no continuation, and a comment sign in a continuation line does not
 * begin a comment. Java ignores a line that is only a backslash, and parses the next line as if it stood alone.
 */
function* logicalLines(text: string): Generator<{ readonly content: string; readonly number: number }> {
  const lines = text.split(/\r\n|\r|\n/)
  for (let at = 0; at < lines.length; at++) {
    if (COMMENT_OR_BLANK.test(lines[at] ?? '')) continue
    const number = at + 1
    let content = trimStart(lines[at])
    while (CONTINUED.test(content) && content !== '\\')
      content = content.slice(0, -1) + trimStart(lines[++at])
    if (content !== '\\') yield { content, number }
  }
}

const trimStart = (line = ''): string => line.replace(/^[ \t\f]+/, '')

const unescaped = (text: string): string =>
  text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.?))/gs, (_escape, code?: string, letter = '') => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
    if (letter === 'u') throw new SyntaxError('malformed \\u escape')
    return ESCAPES[letter] ?? letter
  })
