import { HeadgateError } from '../../contract/errors.js'

/** A value that is decoded from a body that is not JSON. */
export type Decoded = string | readonly Decoded[] | Fields

/** Without a prototype: a field may have the name `__proto__`. */
export interface Fields {
  [name: string]: Decoded
}

export const newFields = (): Fields => Object.create(null) as Fields

/** Adds a value. The values of a name that comes several times are an array, in their order. */
export function addField(fields: Fields, name: string, value: string | Fields): void {
  const before = fields[name]
  if (before === undefined) fields[name] = value
  else if (Array.isArray(before)) before.push(value)
  else fields[name] = [before, value]
}

export const tooManyFields = (most: number): HeadgateError =>
  new HeadgateError(
    'HG_INTAKE_TOO_MANY_FIELDS',
    `The body has more than ${most} fields; no more are accepted.`,
  )

export const malformed = (why: string): HeadgateError => new HeadgateError('HG_INTAKE_BODY_MALFORMED', why)

export const notUtf8 = (): HeadgateError =>
  new HeadgateError('HG_INTAKE_NOT_UTF8', 'The body is not valid UTF-8.')
