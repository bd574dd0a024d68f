import { parseBody } from '../../json/body.js'
import { child, pointer } from '../../json/pointer.js'
import type { JsonBody } from '../../plugin.js'
import { parseProperties } from './properties-file.js'

/** The value of a key in a file; the keys that there are where it is missing; or why the file has no such value. */
export type KeyLookup =
  | { readonly value: string }
  | { readonly keys: readonly string[] }
  /** Continues "The file ...", and holds nothing of what stands in it but keys. */
  | { readonly problem: string }

export function lookUpProperty(text: string, key: string): KeyLookup {
  const properties = parseProperties(text)
  if ('malformed' in properties)
    return { problem: `has a malformed \\u escape in line ${properties.malformed}` }
  const value = properties.values.get(key)
  return value === undefined ? { keys: [...properties.values.keys()] } : { value }
}

const DEEPEST = 100

/** `key` is a member of the top level, or a JSON Pointer. A number is taken as it is written. */
export function lookUpJson(text: string, key: string): KeyLookup {
  let body: JsonBody
  try {
    body = parseBody(Buffer.from(text), DEEPEST)
  } catch {
    // The parser's own words would quote what stands there.
    return { problem: 'is not JSON, or has a key twice' }
  }
  if (!/^(?:[^/]|(?:\/(?:[^~/]|~[01])*)*$)/.test(key))
    return { problem: `has no value at "${key}", which is no JSON Pointer` }
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

/** The keys beside the one that is missing, written as it was. */
function nearKeys(value: unknown, key: string): string[] {
  const parent = key.startsWith('/') ? key.slice(0, key.lastIndexOf('/')) : ''
  const around = pointer(parent).read(value)
  if (typeof around !== 'object' || around === null || Array.isArray(around)) return []
  return Object.keys(around).map((name) => (key.startsWith('/') ? child(parent, name) : name))
}
