import {
  createScanner,
  findNodeAtLocation,
  getNodeValue,
  type JSONVisitor,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
  visit,
} from 'jsonc-parser'
import { child, pointer as compilePointer } from '../lib/json/pointer.js'
import type { Problem, SourceLocation } from './problem.js'

export interface Characters {
  readonly from: number
  readonly to: number
}

const LONGEST_QUOTE = 60

const SYNTAX: { readonly [code: string]: string } = {
  InvalidSymbol: 'This is not a JSON value; text needs double quotes.',
  InvalidNumberFormat: 'This number is malformed.',
  PropertyNameExpected: 'Expected a key in double quotes.',
  ValueExpected: 'Expected a value.',
  ColonExpected: 'Expected a colon.',
  CommaExpected: 'Expected a comma before this.',
  CloseBraceExpected: 'A closing brace } is missing.',
  CloseBracketExpected: 'A closing bracket ] is missing.',
  EndOfFileExpected: 'Expected the end of the file.',
  UnexpectedEndOfComment: 'This comment is never closed.',
  UnexpectedEndOfString: 'This text has no closing quote.',
  UnexpectedEndOfNumber: 'This number is incomplete.',
  InvalidUnicode: 'This \\u escape is malformed.',
  InvalidEscapeCharacter: 'This escape does not exist; write \\\\ for a backslash.',
  InvalidCharacter: 'This character has to be escaped.',
}

/**
 * A config file as text: JSON with comments and trailing commas, because people edit it. Finds the locations for problems and
 * warnings.
 */
export class SourceText {
  readonly file: string
  /** The value of the JSON; undefined if it cannot be parsed. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** The lines of the file, with stars in place of every secret. */
  readonly lines: readonly string[]
  readonly comments: readonly Comment[]
  readonly #text: string
  /** The text with stars in place of every secret. */
  readonly #shown: string
  readonly #root: Node | undefined
  readonly #locationAt: (offset: number, length: number) => SourceLocation

  /** `secrets` finds the pointers of values that must not be shown; it gets the part of the value that could be parsed. */
  constructor(file: string, source: string, secrets: (value: unknown) => Iterable<string> = () => []) {
    this.file = file
    // A byte order mark is not a part of the text: the first column is after it.
    this.#text = source.replace(/^\ufeff/, '')
    this.#locationAt = lineIndex(file, this.#text)
    const errors: ParseError[] = []
    const tooDeep = firstTooDeep(this.#text)
    // The parser, and functions that walk its tree, are recursive.
    if (tooDeep === undefined)
      this.#root = parseTree(this.#text, errors, { allowTrailingComma: true, disallowComments: false })
    this.value = this.#root === undefined ? undefined : getNodeValue(this.#root)
    const secretNodes = [...secrets(this.value)].flatMap((pointer) => this.#exactNode(pointer) ?? [])
    this.#shown = withoutSecrets(this.#text, secretNodes)
    this.lines = this.#shown.split(/\r?\n/)
    this.comments = tooDeep === undefined ? readComments(this.#text, this.#locationAt) : []
    this.problems = tooDeep === undefined ? this.#findProblems(errors) : [this.#nestedTooDeep(tooDeep)]
  }

  /**
   * The location of the value at a pointer, or of the nearest value around it if it is missing. `within`: the location of these
   * characters of a text, if the file contains the text as it is.
   */
  locationOf(pointer: string, within?: Characters): SourceLocation {
    const node = this.#exactNode(pointer)
    if (within === undefined || node?.type !== 'string')
      return this.#locationOfNode(nodeOrAround(this.#root, pointer))
    const written = this.#text.slice(node.offset, node.offset + node.length)
    // The value may have come from a reference.
    if (written.includes('${') || within.to > String(node.value).length + 1) return this.#locationOfNode(node)
    const from = offsetIn(written, within.from)
    return this.#locationAt(node.offset + from, Math.max(1, offsetIn(written, within.to) - from))
  }

  /** The location of the key itself. */
  locationOfKey(pointer: string): SourceLocation {
    const node = nodeOrAround(this.#root, pointer)
    return this.#locationOfNode(node?.parent?.type === 'property' ? node.parent.children?.[0] : node)
  }

  /** The value at a pointer as it is written. */
  slice(pointer: string): string | undefined {
    return this.#sliceOf(this.#text, pointer)
  }

  /** The same on one line, cut if it is long, and with stars in place of secrets. */
  quote(pointer: string): string | undefined {
    const written = this.#sliceOf(this.#shown, pointer)?.replace(/\s+/g, ' ')
    if (written === undefined) return undefined
    return written.length > LONGEST_QUOTE ? `${written.slice(0, LONGEST_QUOTE)}...` : written
  }

  #findProblems(errors: readonly ParseError[]): Problem[] {
    if (this.#text.trim() === '') return [syntaxProblem(this.#locationAt(0, 0), 'The file is empty.')]
    // Errors after the first are mostly consequences of it.
    const [error] = errors
    if (error !== undefined) {
      const name = printParseErrorCode(error.error)
      return [syntaxProblem(this.#locationAt(error.offset, error.length), SYNTAX[name] ?? name)]
    }
    return [...(this.#root === undefined ? [] : duplicateKeys(this.#root, ''))].map(({ key, pointer }) => ({
      code: 'HG_CONFIG_DUPLICATE_KEY',
      location: this.#locationOfNode(key),
      pointer,
      message: `The key ${JSON.stringify(key.value)} appears twice in this object.`,
    }))
  }

  #nestedTooDeep(offset: number): Problem {
    return syntaxProblem(
      this.#locationAt(offset, 1),
      `Objects and arrays are nested deeper than ${DEEPEST} here.`,
    )
  }

  #exactNode(pointer: string): Node | undefined {
    return this.#root && findNodeAtLocation(this.#root, path(this.#root, pointer))
  }

  #sliceOf(text: string, pointer: string): string | undefined {
    const node = this.#exactNode(pointer)
    return node && text.slice(node.offset, node.offset + node.length)
  }

  #locationOfNode(node: Node | undefined): SourceLocation {
    return this.#locationAt(node?.offset ?? 0, node?.length ?? 0)
  }
}

const syntaxProblem = (location: SourceLocation, message: string): Problem => ({
  code: 'HG_CONFIG_SYNTAX',
  location,
  pointer: '',
  message,
})

/** The offset of a character of a text within its JSON string, which has quotes and escapes. */
function offsetIn(written: string, character: number): number {
  let offset = 1
  for (let count = 0; count < character && offset < written.length - 1; count++)
    offset += written[offset] !== '\\' ? 1 : written[offset + 1] === 'u' ? 6 : 2
  return offset
}

/** Deeper than any config that people write. */
const DEEPEST = 200

/** The offset of the first bracket that is nested too deeply. */
function firstTooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true)
  let depth = 0
  for (let token = scanner.scan(); token !== SyntaxKind.EOF; token = scanner.scan()) {
    if (token === SyntaxKind.OpenBraceToken || token === SyntaxKind.OpenBracketToken) {
      if (++depth > DEEPEST) return scanner.getTokenOffset()
    } else if (token === SyntaxKind.CloseBraceToken || token === SyntaxKind.CloseBracketToken) depth--
  }
  return undefined
}

/** The tokens of jsonc-parser that open and close; with isolatedModules, its const enum cannot be used. */
const SyntaxKind = {
  OpenBraceToken: 1,
  CloseBraceToken: 2,
  OpenBracketToken: 3,
  CloseBracketToken: 4,
  EOF: 17,
}

function lineIndex(file: string, text: string): (offset: number, length: number) => SourceLocation {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  const point = (offset: number) => {
    // Binary search: scenario files can have a hundred thousand lines.
    let line = 1
    let behind = starts.length + 1
    while (behind - line > 1) {
      const middle = (line + behind) >> 1
      if ((starts[middle - 1] as number) > offset) behind = middle
      else line = middle
    }
    return { line, column: offset - (starts[line - 1] as number) + 1 }
  }
  return (offset, length) => ({ file, ...point(offset), end: point(offset + length) })
}

/** Replaces the nodes with stars, so that every other character keeps its line and column. */
function withoutSecrets(text: string, nodes: readonly Node[]): string {
  return nodes.reduce((rest, { offset, length }) => {
    const written = rest.slice(offset, offset + length)
    const stars = written.replace(/[^"\r\n]|(?<=\\)"/g, '*')
    return rest.slice(0, offset) + stars + rest.slice(offset + length)
  }, text)
}

/** The path of a pointer; jsonc-parser needs numbers for the elements of arrays. */
function path(root: Node, pointer: string): (string | number)[] {
  const steps: (string | number)[] = []
  for (const token of compilePointer(pointer).tokens) {
    const parent = findNodeAtLocation(root, steps)
    steps.push(parent?.type === 'array' ? Number(token) : token)
  }
  return steps
}

function nodeOrAround(root: Node | undefined, pointer: string): Node | undefined {
  if (root === undefined) return undefined
  const steps = path(root, pointer)
  for (let length = steps.length; length >= 0; length--) {
    const node = findNodeAtLocation(root, steps.slice(0, length))
    if (node !== undefined) return node
  }
  return root
}

function* duplicateKeys(node: Node, pointer: string): Generator<{ key: Node; pointer: string }> {
  const seen = new Set<string>()
  for (const [index, entry] of (node.children ?? []).entries()) {
    if (node.type !== 'object') {
      yield* duplicateKeys(entry, child(pointer, index))
      continue
    }
    const [key, value] = entry.children ?? []
    if (key === undefined) continue
    const name = String(key.value)
    if (seen.has(name)) yield { key, pointer: child(pointer, name) }
    seen.add(name)
    if (value !== undefined) yield* duplicateKeys(value, child(pointer, name))
  }
}

/** A comment in the config file. */
export interface Comment {
  /** Without the comment signs. */
  readonly text: string
  readonly location: SourceLocation
  /** The line of the value on the same line, or else of the next value below. */
  readonly about: number
}

/** All comments of a text, in their order. */
export function readComments(
  text: string,
  locationAt: (offset: number, length: number) => SourceLocation,
): Comment[] {
  const comments: Omit<Comment, 'about'>[] = []
  const lines: number[] = []
  const token = (offset: number, length: number): void => void lines.push(locationAt(offset, length).line)
  const named = (_: unknown, offset: number, length: number): void => token(offset, length)
  const visitor: JSONVisitor = {
    onObjectBegin: token,
    onObjectProperty: named,
    onObjectEnd: token,
    onArrayBegin: token,
    onArrayEnd: token,
    onLiteralValue: named,
    onComment(offset, length) {
      const bare = text.slice(offset, offset + length).replace(/^\/[/*]|\*\/$/g, '')
      comments.push({ text: bare.trim(), location: locationAt(offset, length) })
    },
  }
  visit(text, visitor, { allowTrailingComma: true, disallowComments: false })
  const last = lines.at(-1) ?? 1
  return comments.map((comment) => {
    const { line } = comment.location
    return { ...comment, about: lines.find((other) => other >= line) ?? last }
  })
}
