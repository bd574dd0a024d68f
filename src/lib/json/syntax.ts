import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser'

const WORDS: { readonly [name: string]: string } = {
  InvalidSymbol: 'a word that is no JSON value',
  InvalidNumberFormat: 'a malformed number',
  PropertyNameExpected: 'a key in double quotes is missing',
  ValueExpected: 'a value is missing',
  ColonExpected: 'a colon is missing',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a closing brace is missing',
  CloseBracketExpected: 'a closing bracket is missing',
  EndOfFileExpected: 'something follows the end',
  InvalidCommentToken: 'a comment',
  UnexpectedEndOfComment: 'a comment',
  UnexpectedEndOfString: 'a text without closing quote',
  UnexpectedEndOfNumber: 'an incomplete number',
  InvalidUnicode: 'a malformed \\u escape',
  InvalidEscapeCharacter: 'an escape that does not exist',
  InvalidCharacter: 'a control character in a text',
}

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
  const name = printParseErrorCode(error.error)
  return `${WORDS[name] ?? name} at line ${line}, column ${before.length - before.lastIndexOf('\n')}`
}
