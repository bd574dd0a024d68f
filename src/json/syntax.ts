import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser'

/**
 * Says what is wrong with a text that JSON.parse refused, with line and column. V8 quotes the text around an error, or
 * leaves the place out; a sender's data does not belong in our log.
 */
export function syntaxError(text: string): string {
  if (text.trim() === '') return 'it is empty'
  const errors: ParseError[] = []
  try {
    parse(text, errors, { disallowComments: true, allowTrailingComma: false })
  } catch {
    return 'it is malformed and nested too deeply to say where'
  }
  const [error] = errors
  if (error === undefined) return 'it is malformed'
  const before = text.slice(0, error.offset)
  const line = before.split('\n').length
  return `${printParseErrorCode(error.error)} at line ${line}, column ${before.length - before.lastIndexOf('\n')}`
}
