import { HeadgateError } from '../../../contract/errors.js'
import type { Event, JsonPointer, RecordHeader, SinkRecord } from '../../../contract/index.js'
import { pointer } from '../../../lib/json/pointer.js'

export interface RecordSettings {
  readonly key?: string
  /** A pointer, or what becomes of an event that has nothing at `key`. */
  readonly keyFallback: 'refuse' | 'none' | string
  readonly value: string
  readonly headers: Readonly<{ [name: string]: string }>
}

export interface RecordMaker {
  record(event: Event, headers: readonly RecordHeader[]): SinkRecord
  key(event: Event): Buffer | null
  headers(event: Event): readonly RecordHeader[]
}

/** What is written for an event. The value is never built anew: it is the bytes that were sent. */
export function recordMaker(settings: RecordSettings): RecordMaker {
  const keyAt = settings.key === undefined ? undefined : pointer(settings.key)
  const fallbackAt = settings.keyFallback.startsWith('/') ? pointer(settings.keyFallback) : undefined
  const valueAt = pointer(settings.value)
  const ownHeaders = Object.entries(settings.headers).map(([name, text]) => ({ name, at: pointer(text) }))

  /** Null: the record has no key. Undefined: the event lacks what its key is taken from. */
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
    record(event, given) {
      const target = event.route?.target
      if (target === undefined)
        throw new HeadgateError('HG_ROUTE_NO_MATCH', 'No transform gave the event a target.')
      const key = keyOf(event)
      if (key === undefined) throw missing('key', keyAt, fallbackAt)
      const value = event.body.slice(valueAt)
      if (value === undefined) throw missing('value', valueAt)
      return {
        target,
        key,
        value,
        headers: ownHeaders.length === 0 ? given : [...given, ...headersOf(event)],
      }
    },
    key: (event) => keyOf(event) ?? null,
    headers: headersOf,
  }
}

/** Null for a JSON null: as four bytes of text it would send every such event to one partition. */
function keyBytes({ body }: Event, at: JsonPointer): Buffer | null | undefined {
  const value = at.read(body.value)
  if (value === null) return null
  return typeof value === 'string' ? Buffer.from(value) : body.slice(at)
}

function headerText({ body }: Event, at: JsonPointer): string | undefined {
  const value = at.read(body.value)
  // node-rdkafka cuts a header at NUL (src/producer.cc), so a text that has one goes as JSON, which escapes it.
  if (typeof value === 'string' && !value.includes('\0')) return value
  return body.slice(at)?.toString()
}

function missing(what: string, at: JsonPointer | undefined, fallbackAt?: JsonPointer): HeadgateError {
  const place = at?.text ?? ''
  const lacks = fallbackAt === undefined ? `no ${place}` : `neither ${place} nor ${fallbackAt.text}`
  return new HeadgateError(
    'HG_RECORD_FIELD_MISSING',
    `The event has ${lacks}, from which the ${what} of its record is taken.`,
    {
      violations: [{ pointer: place, message: `is missing; the record takes its ${what} from here` }],
    },
  )
}
