import { isUtf8 } from 'node:buffer'
import { addField, type Fields, newFields, notUtf8, tooManyFields } from './fields.js'

const AMPERSAND = 0x26
const ESCAPED = /(?:%[0-9a-f]{2})+/gi

/** The parameters of a form or a query. The constructor alone drops a question mark at the start, which is part of a name here. */
export const parametersIn = (text: string): URLSearchParams =>
  new URLSearchParams(text.startsWith('?') ? `?${text}` : text)

const unescaped = (run: string): Buffer => Buffer.from(run.replaceAll('%', ''), 'hex')

/**
 * The fields of a form (application/x-www-form-urlencoded). URLSearchParams would replace bytes that are not UTF-8, so that two
 * different ids could become the same: such a form is refused.
 */
export function formFields(bytes: Buffer, maxFields: number): Fields {
  let count = 1
  for (let at = bytes.indexOf(AMPERSAND); at !== -1; at = bytes.indexOf(AMPERSAND, at + 1))
    if (++count > maxFields) throw tooManyFields(maxFields)
  if (!isUtf8(bytes)) throw notUtf8()
  const text = bytes.toString()
  for (const [run] of text.matchAll(ESCAPED)) if (!isUtf8(unescaped(run))) throw notUtf8()
  const fields = newFields()
  for (const [name, value] of parametersIn(text)) addField(fields, name, value)
  return fields
}
