import type { Static } from 'typebox'
import { HeadgateError } from '../../../contract/errors.js'
import type { HttpHead, JsonBody } from '../../../contract/index.js'
import { Pointer, pointer } from '../../../lib/json/pointer.js'
import { Type } from '../../../lib/json/type.js'
import { HeaderName } from './verify/verifier.js'

export const EventId = Type.Union(
  [
    Pointer({ description: 'The place of the id in the body.' }),
    Type.Object({ header: HeaderName('The header that has the id.') }, { additionalProperties: false }),
  ],
  {
    expected: 'a JSON Pointer such as "/id", or {"header": "webhook-id"}',
    description:
      'Where the id of an event stands: a JSON Pointer into the body, or a header. It must stay the same when the sender delivers the event again.',
  },
)

const MAX_LENGTH = 256
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/
/**
 * Lone surrogates have no UTF-8. node-rdkafka cuts a header at NUL (src/producer.cc): such an id would be read back as
 * another one. The other control characters do not belong into logs and terminals.
 */
const REFUSED = /[\p{Surrogate}\p{Cc}]/u

/** Compiles the setting. What it gives throws HG_INTAKE_NO_ID with the place and what stands there instead. */
export function eventId(
  setting: Static<typeof EventId>,
): (headers: HttpHead['headers'], body: JsonBody) => string {
  if (typeof setting === 'string') {
    const place = pointer(setting)
    const where = `The id of the event is expected at "${setting}" of the body`
    return (_headers, body) => idOf(place.read(body.value), where, () => body.slice(place)?.toString() ?? '')
  }
  const name = setting.header.toLowerCase()
  const where = `The id of the event is expected in the header ${name}`
  return (headers) => idOf(headers[name], where, () => '')
}

/** The JSON Schema of bodies in which an id is found. */
export function ensuredBy(setting: Static<typeof EventId>): object | true {
  const tokens = typeof setting === 'string' ? pointer(setting).tokens : []
  return tokens.reduceRight<object | true>(
    (inner, token) => ({ required: [token], properties: { [token]: inner } }),
    true,
  )
}

/** A number is taken as it is written: JavaScript would round an integer over 2^53. */
function idOf(value: unknown, where: string, written: () => string): string {
  const id = typeof value === 'number' ? integer(written()) : value
  if (typeof id === 'string' && id !== '' && id.length <= MAX_LENGTH && !REFUSED.test(id)) return id
  throw new HeadgateError('HG_INTAKE_NO_ID', `${where}; found is ${found(value)}.`)
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
  return 'a string with control characters, or one that is not well-formed'
}
