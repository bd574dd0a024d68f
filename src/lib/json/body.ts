import { isAscii, isUtf8 } from 'node:buffer'
import { type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser'
import { HeadgateError } from '../../contract/errors.js'
import type { JsonBody, JsonPointer, Original } from '../../contract/index.js'
import { elements, locate, type Member, scanEnvelope } from './scan.js'

/**
 * Parses the body of a request. A byte order mark is not a part of the document (RFC 8259, 8.1 lets a receiver ignore it, and
 * senders that write files as Windows does send one), and `bytes` does not contain it. Throws HG_INTAKE_NOT_UTF8, NOT_JSON,
 * TOO_DEEP or DUPLICATE_KEY, each with the place. Equal keys are refused at the top level, where ids and routes are read; below
 * it, the last one counts. `original`: the bytes that were decoded to this JSON.
 */
export function parseBody(sent: Buffer, maxDepth: number, original?: Original): JsonBody {
  const bytes = withoutMark(sent)
  const value = parse(decode(bytes))
  const { members, depth } = scanEnvelope(bytes)
  if (depth > maxDepth) {
    throw new HeadgateError(
      'HG_INTAKE_TOO_DEEP',
      `The JSON is nested ${depth} deep; at most ${maxDepth} is accepted.`,
    )
  }
  refuseDuplicates(members)
  return { bytes, value, original, slice: (pointer) => slice(bytes, members, pointer) }
}

/** A part of a parsed body as a body of its own. Throws HG_INTAKE_DUPLICATE_KEY. */
export function partOf(bytes: Buffer, value: unknown): JsonBody {
  const { members } = scanEnvelope(bytes)
  refuseDuplicates(members)
  return { bytes, value, original: undefined, slice: (pointer) => slice(bytes, members, pointer) }
}

/** The bytes of each element of an array. */
export const elementsOf = (array: Buffer): Buffer[] =>
  elements(array).map(([start, end]) => array.subarray(start, end))

const withoutMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

/** Most bodies are ASCII, which only has to be copied and not decoded: for a long body, this takes an eighth of the time. */
function decode(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (isUtf8(bytes)) return bytes.toString('utf8')
  throw new HeadgateError('HG_INTAKE_NOT_UTF8', 'The body is not valid UTF-8.')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HeadgateError('HG_INTAKE_NOT_JSON', `The body is not JSON: ${syntaxError(text)}.`)
  }
}

/** Comparing this many keys one by one costs less than a Set. */
const FEW = 16

function refuseDuplicates(members: readonly Member[]): void {
  if (members.length <= FEW) {
    for (let at = 1; at < members.length; at++) {
      const { key } = members[at] as Member
      for (let before = 0; before < at; before++) if (members[before]?.key === key) throw duplicate(key)
    }
    return
  }
  const seen = new Set<string>()
  for (const { key } of members) {
    if (seen.has(key)) throw duplicate(key)
    seen.add(key)
  }
}

const duplicate = (key: string): HeadgateError =>
  new HeadgateError('HG_INTAKE_DUPLICATE_KEY', `The key ${JSON.stringify(key)} appears twice.`)

function slice(bytes: Buffer, members: readonly Member[], { tokens }: JsonPointer): Buffer | undefined {
  const [first, ...rest] = tokens
  if (first === undefined) return bytes
  const member = members.find(({ key }) => key === first)
  if (member === undefined) {
    const span = locate(bytes, 0, tokens)
    return span && bytes.subarray(...span)
  }
  if (rest.length === 0) return bytes.subarray(member.start, member.end)
  const span = locate(bytes, member.start, rest)
  return span && bytes.subarray(...span)
}

/**
 * The body with another value at a place, and every other byte unchanged; the same body if it has no value there. Equal keys are
 * only refused at the top level: below it, the value of the last one is replaced, which is the one that counts.
 */
export function replaceAt(body: JsonBody, place: JsonPointer, value: unknown): JsonBody {
  const old = body.slice(place)
  if (old === undefined) return body
  const start = old.byteOffset - body.bytes.byteOffset
  const parts = [
    body.bytes.subarray(0, start),
    Buffer.from(JSON.stringify(value)),
    body.bytes.subarray(start + old.length),
  ]
  return parseBody(Buffer.concat(parts), Number.POSITIVE_INFINITY)
}

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
  UnexpectedEndOfString: 'a text without a closing quote',
  UnexpectedEndOfNumber: 'an incomplete number',
  InvalidUnicode: 'a malformed \\u escape',
  InvalidEscapeCharacter: 'an escape that does not exist',
  InvalidCharacter: 'a control character in a text',
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/**
 * Describes the syntax error of a text that JSON.parse refused, with line and column. The message of V8 quotes the text around
 * the error, or has no place; and the data of a sender does not belong in the log.
 */
export function syntaxError(text: string): string {
  if (text.trim() === '') return 'it is empty'
  let error: FirstError | undefined
  try {
    error = firstError(text)
  } catch {
    return 'it is malformed and nested too deeply to say where'
  }
  if (error === undefined) return 'it is malformed'
  const before = text.slice(0, error.offset)
  const line = before.split('\n').length
  const name = printParseErrorCode(error.code)
  return `${WORDS[name] ?? name} at line ${line}, column ${before.length - before.lastIndexOf('\n')}`
}

class FirstError extends Error {
  constructor(
    readonly code: ParseErrorCode,
    readonly offset: number,
  ) {
    super()
  }
}

/** The tolerant parser would go on, and a body of a sender can have a million errors. */
function firstError(text: string): FirstError | undefined {
  try {
    visit(
      text,
      {
        onError(code, offset) {
          throw new FirstError(code, offset)
        },
      },
      { disallowComments: true, allowTrailingComma: false },
    )
    return undefined
  } catch (thrown) {
    if (thrown instanceof FirstError) return thrown
    throw thrown
  }
}
