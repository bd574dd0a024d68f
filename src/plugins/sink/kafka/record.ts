import { HeadgateError } from '../../../contract/errors.js'
import {
  type Event,
  type LoggedRecord,
  type RecordHeader,
  type RequestRead,
  receivedBytes,
  type SinkRecord,
} from '../../../contract/index.js'
import { isJson } from '../../../lib/json/body.js'
import { child, pointer } from '../../../lib/json/pointer.js'
import { isOfRequest, type Locator, locator, requestPart } from '../../../lib/locator.js'

export interface RecordSettings {
  readonly key?: string
  /** For an event without a value at `key`: a locator, "refuse" or "none". */
  readonly keyFallback: 'refuse' | 'none' | string
  readonly value: string
  readonly headers: Readonly<{ [name: string]: string }>
}

/** The settings that name a part of the request. */
export function requestReads({ key, keyFallback, headers }: RecordSettings): RequestRead[] {
  const named = [
    ...(key === undefined ? [] : [{ at: '/key', part: key }]),
    ...(isPlace(keyFallback) ? [{ at: '/keyFallback', part: keyFallback }] : []),
    ...Object.entries(headers).map(([name, part]) => ({ at: child('/headers', name), part })),
  ]
  return named.filter(({ part }) => isOfRequest(part))
}

export interface RecordMaker {
  record(event: Event, headers: readonly RecordHeader[]): SinkRecord
  key(event: Event): Buffer | null
  headers(event: Event): readonly RecordHeader[]
}

/** Makes the record of an event. Its value is never serialized again: it is the bytes that were sent. */
export function recordMaker(settings: RecordSettings): RecordMaker {
  const keyAt = settings.key === undefined ? undefined : locator(settings.key)
  const fallbackAt = isPlace(settings.keyFallback) ? locator(settings.keyFallback) : undefined
  const valueAt = pointer(settings.value)
  const isWhole = valueAt.tokens.length === 0
  const ownHeaders = Object.entries(settings.headers).map(([name, text]) => ({ name, at: locator(text) }))

  /** Null: the record has no key. Undefined: the event has no value for its key. */
  function keyOf(event: Event): Buffer | null | undefined {
    if (keyAt === undefined) return null
    const key = keyBytes(event, keyAt)
    if (key !== undefined) return key
    if (fallbackAt !== undefined) return keyBytes(event, fallbackAt)
    return settings.keyFallback === 'none' ? null : undefined
  }

  function headersOf(event: Event): RecordHeader[] {
    const headers: RecordHeader[] = []
    for (const { name, at } of ownHeaders) {
      const value = headerText(event, at)
      if (value !== undefined) headers.push({ name, value })
    }
    return headers
  }

  return {
    record(event, engineHeaders) {
      const target = event.route?.target
      if (target === undefined)
        throw new HeadgateError('HG_ROUTE_NO_MATCH', 'No transform gave the event a target.')
      const key = keyOf(event)
      if (key === undefined) throw missing('key', keyAt, fallbackAt)
      const value = isWhole ? receivedBytes(event.body) : event.body.slice(valueAt)
      if (value === undefined) throw missing('value', locator(settings.value))
      return {
        target,
        key,
        value,
        headers: ownHeaders.length === 0 ? engineHeaders : [...engineHeaders, ...headersOf(event)],
      }
    },
    key: (event) => keyOf(event) ?? null,
    headers: headersOf,
  }
}

const isPlace = (keyFallback: string): boolean => keyFallback !== 'refuse' && keyFallback !== 'none'

/** Null for a JSON null: as four bytes of text it would send every such event to one partition. */
function keyBytes({ body, request }: Event, at: Locator): Buffer | null | undefined {
  if (at.kind !== 'body') {
    const text = requestPart(at, request)
    return text === undefined ? undefined : Buffer.from(text)
  }
  const value = at.pointer.read(body.value)
  if (value === null) return null
  return typeof value === 'string' ? Buffer.from(value) : body.slice(at.pointer)
}

/** node-rdkafka cuts a header at NUL (src/producer.cc), so a text that has one goes as JSON, which escapes it. */
function headerText({ body, request }: Event, at: Locator): string | undefined {
  if (at.kind !== 'body') {
    const text = requestPart(at, request)
    return text?.includes('\0') ? JSON.stringify(text) : text
  }
  const value = at.pointer.read(body.value)
  if (typeof value === 'string' && !value.includes('\0')) return value
  return body.slice(at.pointer)?.toString()
}

function missing(part: string, at: Locator | undefined, fallbackAt?: Locator): HeadgateError {
  const path = at?.text ?? ''
  const lacks = fallbackAt === undefined ? `no ${path}` : `neither ${path} nor ${fallbackAt.text}`
  return new HeadgateError(
    'HG_RECORD_FIELD_MISSING',
    `The event has ${lacks}, from which the ${part} of its record is taken.`,
    // Only the body has places that a JSON Pointer names.
    at?.kind === 'body'
      ? { violations: [{ pointer: path, message: `is missing; the record takes its ${part} from here` }] }
      : {},
  )
}

/** JSON by the keys that lead to it. */
type Tree = Map<string, Tree | string>

/**
 * Puts value, key and headers of a record back to the pointers from which the settings take them, in that order: values that
 * are there already stay. Parts of the request are not in the body. Whether the text of a key or a header was a string cannot be told; it becomes one.
 */
export function rebuilder(
  settings: Omit<RecordSettings, 'keyFallback'>,
): (record: LoggedRecord) => Buffer | undefined {
  const valueAt = pointer(settings.value).tokens
  const keyAt =
    settings.key === undefined || isOfRequest(settings.key) ? undefined : pointer(settings.key).tokens
  const headersAt = Object.entries(settings.headers)
    .filter(([, text]) => !isOfRequest(text))
    .map(([name, text]) => ({ name, at: pointer(text).tokens }))
  return (record) => {
    const value = record.value.toString()
    if (!isJson(value)) return undefined
    if (valueAt.length === 0) return record.value
    const root: Tree = new Map()
    insert(root, valueAt, value)
    if (keyAt !== undefined && record.key !== null) insert(root, keyAt, JSON.stringify(record.key.toString()))
    for (const { name, at } of headersAt) {
      const text = record.header(name)
      if (text !== undefined) insert(root, at, JSON.stringify(text))
    }
    return Buffer.from(stringify(root))
  }
}

function insert(root: Tree, tokens: readonly string[], json: string): void {
  let tree = root
  for (const [index, token] of tokens.entries()) {
    const present = tree.get(token)
    if (index === tokens.length - 1) {
      if (present === undefined) tree.set(token, json)
      return
    }
    if (typeof present === 'string') return
    const next: Tree = present ?? new Map()
    tree.set(token, next)
    tree = next
  }
}

const stringify = (tree: Tree | string): string =>
  typeof tree === 'string'
    ? tree
    : `{${[...tree].map(([key, value]) => `${JSON.stringify(key)}:${stringify(value)}`).join(',')}}`

type Pair = { [name: string]: string }

/**
 * Headers as node-rdkafka takes them: an object with one property for each. It copies them before `produce` returns, so
 * the objects are used again for the next record; their names are few, for they come from the config.
 */
export function headerPairs(): (headers: readonly RecordHeader[]) => Pair[] | undefined {
  const pairOf = new Map<string, Pair>()
  return (headers) => {
    if (headers.length === 0) return undefined
    const pairs: Pair[] = []
    for (const { name, value } of headers) {
      const pair = pairOf.get(name)
      if (pair === undefined || pairs.includes(pair)) {
        // A computed name is always a property, `__proto__` too. Of an object without a prototype, V8 would collect the names
        // again each time that node-rdkafka asks for them.
        const own = { [name]: value }
        pairOf.set(name, own)
        pairs.push(own)
      } else {
        pair[name] = value
        pairs.push(pair)
      }
    }
    return pairs
  }
}

/**
 * The most bytes of a record or a dead letter besides the body of its event: key, headers and the overhead of a
 * batch. The default `maxBody` of the source and this are together the default `max.message.bytes` of Kafka,
 * 1,048,588.
 */
export const RECORD_OVERHEAD = 45_068

/** Bytes that a record adds to its batch, at most, besides its own: lengths, offset and time; and each of its headers. */
const RECORD_FRAME = 32
const HEADER_FRAME = 10

/** Bytes of a record in a batch that is not compressed; a little more than there are. */
export function recordBytes({ key, value, headers }: SinkRecord): number {
  let bytes = RECORD_FRAME + value.length + (key?.length ?? 0)
  for (const { name, value } of headers) bytes += HEADER_FRAME + name.length + Buffer.byteLength(value)
  return bytes
}
