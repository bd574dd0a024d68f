import type { Static } from 'typebox'
import { HeadgateError } from '../../../contract/errors.js'
import type { HttpHead, JsonBody } from '../../../contract/index.js'
import { Pointer, pointer, Type } from '../../../lib/json/pointer.js'
import { HeaderName } from './verify/verifier.js'

export const EventId = Type.Union(
  [
    Pointer({ description: 'The location of the id in the body.' }),
    Type.Object({ header: HeaderName('The header that has the id.') }, { additionalProperties: false }),
  ],
  {
    expected: 'a JSON Pointer such as "/id", or {"header": "webhook-id"}',
    description:
      'The location of the event id: a JSON Pointer into the body, or a header. The id must stay the same when the sender delivers the event again.',
  },
)

const MAX_LENGTH = 256
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/
/**
 * Lone surrogates have no UTF-8. node-rdkafka cuts a header at NUL (src/producer.cc): such an id would be read back as a
 * different one. The other control characters do not belong into logs and terminals.
 */
const REFUSED = /[\p{Surrogate}\p{Cc}]/u

/** Compiles the setting. The function throws HG_INTAKE_NO_ID with the location and the value found there instead. */
export function eventId(
  setting: Static<typeof EventId>,
): (headers: HttpHead['headers'], body: JsonBody) => string {
  if (typeof setting === 'string') {
    const idPointer = pointer(setting)
    const where = `Expected the event id at "${setting}" of the body`
    return (_headers, body) =>
      idOf(idPointer.read(body.value), where, () => body.slice(idPointer)?.toString() ?? '')
  }
  const name = setting.header.toLowerCase()
  const where = `Expected the event id in the header ${name}`
  return (headers) => idOf(headers[name], where, () => '')
}

/** The JSON Schema of bodies that have an id. */
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
