import { HeadgateError } from '../../../contract/errors.js'
import type { JsonBody, LoggedRecord } from '../../../contract/index.js'
import { pointer } from '../../../lib/json/pointer.js'

const MAX_LENGTH = 256
const HEADER = 'header:'
/** node-rdkafka cuts a header at NUL, and lone surrogates have no UTF-8: such an id would be read back as another one. */
const REFUSED = /[\p{Surrogate}\p{Cc}]/u

type IdOf = (record: LoggedRecord, body: JsonBody) => string

/** Compiles the setting. The function throws HG_INTAKE_NO_ID with the location. */
export function eventId(setting: string): IdOf {
  if (setting === 'place') return placeOf
  const find = finder(setting)
  return (record, body) => {
    const id = find(record, body)
    if (id === undefined || id.length === 0 || id.length > MAX_LENGTH || REFUSED.test(id))
      throw new HeadgateError(
        'HG_INTAKE_NO_ID',
        `The record ${placeOf(record)} has no event id at ${setting}: expected a text of 1 to ${MAX_LENGTH} characters without control characters, found ${described(id)}.`,
      )
    return id
  }
}

export const placeOf = ({ topic, partition, offset }: LoggedRecord): string =>
  `${topic}-${partition}@${offset}`

function finder(setting: string): (record: LoggedRecord, body: JsonBody) => string | undefined {
  if (setting === 'key') return ({ key }) => key?.toString()
  if (setting.startsWith(HEADER)) {
    const name = setting.slice(HEADER.length)
    return (record) => record.header(name)
  }
  const place = pointer(setting)
  return (_record, { value }) => {
    const found = place.read(value)
    return typeof found === 'string' || Number.isSafeInteger(found) ? String(found) : undefined
  }
}

const described = (id: string | undefined): string =>
  id === undefined ? 'none' : id === '' ? 'an empty text' : `${id.length} characters that are not allowed`
