import { isUtf8 } from 'node:buffer'
import { addField, type Fields, malformed, newFields, notUtf8, tooManyFields } from './fields.js'

const CRLF = Buffer.from('\r\n')
const END_OF_HEADERS = Buffer.from('\r\n\r\n')
const DASHES = '--'
const HEADER = /^([!#$%&'*+.^_`|~\w-]+):(.*)$/s
const DISPOSITION = /^form-data[ \t]*(?:;|$)/i
/**
 * A parameter of Content-Disposition. In a quoted text, only a quotation mark is escaped: file names have backslashes, and may end
 * with one.
 */
const PARAMETER = /;[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:"((?:\\"(?![ \t]*(?:;|$))|[^"])*)"|([^\s";]*))/gs

/**
 * The fields of a form with files (multipart/form-data, RFC 7578). A part is its text; a file, or a part that is not UTF-8, is an
 * object with `filename`, `type` and `base64`. Libraries for it read streams, and this body is in memory.
 */
export function multipartFields(bytes: Buffer, boundary: string, maxFields: number): Fields {
  const fields = newFields()
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  let at = endOfFirst(bytes, delimiter)
  for (let count = 0; ; count++) {
    if (bytes.toString('latin1', at, at + 2) === DASHES) return fields
    if (count === maxFields) throw tooManyFields(maxFields)
    const start = endOfLine(bytes, at)
    // A part without headers has the empty line at once.
    const endOfHeaders = bytes.indexOf(END_OF_HEADERS, start - CRLF.length)
    const end = endOfHeaders === -1 ? -1 : bytes.indexOf(delimiter, endOfHeaders + CRLF.length)
    if (end === -1) throw malformed('The multipart body ends within a part.')
    const headers = headersOf(bytes.subarray(start, Math.max(start, endOfHeaders)))
    addPart(fields, headers, bytes.subarray(Math.min(end, endOfHeaders + END_OF_HEADERS.length), end))
    at = end + delimiter.length
  }
}

/** Text before the first delimiter is not a part of the form. */
function endOfFirst(bytes: Buffer, delimiter: Buffer): number {
  const first = delimiter.subarray(CRLF.length)
  if (bytes.subarray(0, first.length).equals(first)) return first.length
  const found = bytes.indexOf(delimiter)
  if (found === -1) throw malformed('The multipart body does not contain the boundary of its Content-Type.')
  return found + delimiter.length
}

/** Behind the line with a delimiter, which may end with white space. */
function endOfLine(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++
  if (bytes.subarray(at, at + CRLF.length).equals(CRLF)) return at + CRLF.length
  throw malformed('A boundary of the multipart body is not followed by the end of its line.')
}

function headersOf(bytes: Buffer): ReadonlyMap<string, string> {
  if (!isUtf8(bytes)) throw notUtf8()
  const headers = new Map<string, string>()
  for (const line of bytes.length === 0 ? [] : bytes.toString().split('\r\n')) {
    const [, name, value = ''] = HEADER.exec(line) ?? []
    if (name === undefined) throw malformed('A part of the multipart body has a malformed header.')
    headers.set(name.toLowerCase(), value.trim())
  }
  return headers
}

function addPart(fields: Fields, headers: ReadonlyMap<string, string>, content: Buffer): void {
  const disposition = headers.get('content-disposition') ?? ''
  if (!DISPOSITION.test(disposition)) throw malformed('A part of the multipart body is not form-data.')
  const parameters = new Map<string, string>()
  for (const [, name = '', quoted, plain = ''] of disposition.matchAll(PARAMETER))
    parameters.set(name.toLowerCase(), quoted === undefined ? plain : unescaped(quoted))
  const name = parameters.get('name')
  if (name === undefined) throw malformed('A part of the multipart body has no name.')
  const filename = parameters.get('filename')
  if (filename === undefined && isUtf8(content)) addField(fields, name, content.toString())
  else addField(fields, name, file(filename, headers.get('content-type'), content))
}

function file(filename: string | undefined, type: string | undefined, content: Buffer): Fields {
  const fields = newFields()
  if (filename !== undefined) fields['filename'] = filename
  if (type !== undefined) fields['type'] = type
  fields['base64'] = content.toString('base64')
  return fields
}

/** Browsers escape these three by percent signs (the HTML standard, multipart/form-data encoding algorithm), others the first by a backslash. */
const unescaped = (text: string): string =>
  text
    .replace(/\\"|%22/g, '"')
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
