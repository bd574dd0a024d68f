import { hash, randomUUID } from 'node:crypto'
import type { Static } from 'typebox'
import { HeadgateError } from '../../../contract/errors.js'
import { type HttpHead, type JsonBody, receivedBytes } from '../../../contract/index.js'
import { headerText } from '../../../lib/header-text.js'
import { pointer, Type } from '../../../lib/json/pointer.js'
import { HEADER_PATTERN, locator, POINTER_PATTERN, QUERY_PATTERN } from '../../../lib/locator.js'

const PLACE = `${POINTER_PATTERN}|${HEADER_PATTERN}|${QUERY_PATTERN}`

const Place = (pattern: string, expected: string, description: string) =>
  Type.String({ pattern: `^(${pattern})$`, expected, description })

export const EventId = Type.Union(
  [
    Place(
      `${PLACE}|digest|new`,
      'a JSON Pointer such as "/id", "header:NAME", "query:NAME", "digest" or "new"',
      'The location of the id: a JSON Pointer into the body, or a header or a parameter of the query.',
    ),
    Type.Array(
      Place(PLACE, 'a JSON Pointer such as "/id", "header:NAME" or "query:NAME"', 'A part of the id.'),
      { minItems: 2, maxItems: 8, description: 'Several locations: their values together are the id.' },
    ),
  ],
  {
    expected: 'a JSON Pointer such as "/id", "header:webhook-id", or a list of such locations',
    description:
      'The location of the event id, which must stay the same when the sender delivers the event again. A list joins several values. If the sender has no id, "digest" takes the SHA-256 of the body, for bodies that differ from event to event, and "new" makes an id for each delivery: then no redelivery is recognised.',
  },
)

export type EventIdSetting = Static<typeof EventId>

const MAX_LENGTH = 256
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/
/**
 * Lone surrogates have no UTF-8. node-rdkafka cuts a header at NUL (src/producer.cc): such an id would be read back as a
 * different one. The other control characters do not belong into logs and terminals.
 */
const REFUSED = /[\p{Surrogate}\p{Cc}]/u

type IdOf = (request: HttpHead, body: JsonBody) => string

/** Compiles the setting. The function throws HG_INTAKE_NO_ID with the location and the value found there instead. */
export function eventId(setting: EventIdSetting): IdOf {
  if (setting === 'digest') return (_request, body) => hash('sha256', receivedBytes(body), 'hex')
  if (setting === 'new') return () => randomUUID()
  if (typeof setting === 'string') return idAt(setting)
  const parts = setting.map(idAt)
  return (request, body) => {
    const id = parts.map((idOf) => escaped(idOf(request, body))).join(':')
    if (id.length <= MAX_LENGTH) return id
    throw new HeadgateError(
      'HG_INTAKE_NO_ID',
      `The event id of ${setting.length} parts is longer than ${MAX_LENGTH} characters.`,
    )
  }
}

/** No two lists of values have the same id: a colon within a value is not one between two. */
const escaped = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll(':', '\\:')

function idAt(place: string): IdOf {
  const at = locator(place)
  switch (at.kind) {
    case 'header': {
      const { name } = at
      const where = `Expected the event id in the header ${name}`
      return (request) => {
        if (request.isRepeated(name)) throw repeated(where)
        const value = request.headers[name]
        return idOf(typeof value === 'string' ? headerText(value) : value, where, () => '')
      }
    }
    case 'query': {
      const where = `Expected the event id in the parameter ${at.name} of the query`
      return ({ parameters }) => {
        const [value, ...others] = parameters.getAll(at.name)
        if (others.length > 0) throw repeated(where)
        return idOf(value, where, () => '')
      }
    }
    default: {
      const idPointer = pointer(place)
      const where = `Expected the event id at "${place}" of the body`
      return (_request, body) =>
        idOf(idPointer.read(body.value), where, () => body.slice(idPointer)?.toString() ?? '')
    }
  }
}

const repeated = (where: string): HeadgateError =>
  new HeadgateError('HG_INTAKE_NO_ID', `${where}; it was sent more than once.`)

/** The headers that the id is read from. */
export const idHeaders = (setting: EventIdSetting): string[] =>
  [setting].flat().flatMap((place) => (place.startsWith('header:') ? [place.slice('header:'.length)] : []))

/** The locations in the body that the id is read from. */
export const pointersOf = (setting: EventIdSetting): string[] =>
  [setting].flat().filter((place) => place === '' || place.startsWith('/'))

/** The JSON Schema of bodies that have an id. */
export function ensuredBy(setting: EventIdSetting): object | true {
  const schemas = pointersOf(setting).map((place) =>
    pointer(place).tokens.reduceRight<object | true>(
      (inner, token) => ({ required: [token], properties: { [token]: inner } }),
      true,
    ),
  )
  return schemas.length > 1 ? { allOf: schemas } : (schemas[0] ?? true)
}

/** A number is taken as it is written: JavaScript would round an integer over 2^53. */
function idOf(value: unknown, where: string, written: () => string): string {
  const id = typeof value === 'number' ? integer(written()) : value
  if (typeof id === 'string' && id !== '' && id.length <= MAX_LENGTH && !REFUSED.test(id)) return id
  throw new HeadgateError('HG_INTAKE_NO_ID', `${where}; found ${found(value)}.`)
}

const integer = (text: string): string | undefined => (INTEGER.test(text) ? text : undefined)

function found(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'boolean') return 'a boolean'
  if (typeof value === 'number') return `a number that is not an integer of at most ${MAX_LENGTH} digits`
  if (String(value).length > MAX_LENGTH) return `a string longer than ${MAX_LENGTH} characters`
  return 'a string with control characters or lone surrogates'
}
