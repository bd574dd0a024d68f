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
import type { ErrorCode } from '../contract/errors.js'
import { child, pointer as compilePointer } from '../lib/json/pointer.js'
import type { Problem, SourceLocation } from './problem.js'

/** A config file as text: gives the place in it of everything that is said about it. */
export interface SourceText {
  readonly file: string
  /** What the text says; undefined where it is not JSON at all. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** Its lines, with stars in place of every secret that is written in it. */
  readonly lines: readonly string[]
  readonly comments: readonly Comment[]
  /**
   * The place of the value at a pointer; of the nearest thing around it where it is missing. `within`: of these characters
   * of a text, as far as they stand in the file as they are.
   */
  locationOf(pointer: string, within?: Characters): SourceLocation
  /** The place of the key itself. */
  locationOfKey(pointer: string): SourceLocation
  /** The value at a pointer as it is written. */
  slice(pointer: string): string | undefined
  /** The same on one line, cut where it is long, and with stars in place of secrets. */
  quote(pointer: string): string | undefined
}

export interface Characters {
  readonly from: number
  readonly to: number
}

const LONGEST_QUOTE = 60

const SYNTAX: { readonly [code: string]: string } = {
  InvalidSymbol: 'This is not a JSON value; text needs double quotes.',
  InvalidNumberFormat: 'This number is malformed.',
  PropertyNameExpected: 'A key in double quotes should stand here.',
  ValueExpected: 'A value should stand here.',
  ColonExpected: 'A colon should stand here.',
  CommaExpected: 'A comma should stand before this.',
  CloseBraceExpected: 'A closing brace } is missing.',
  CloseBracketExpected: 'A closing bracket ] is missing.',
  EndOfFileExpected: 'The file should end here.',
  UnexpectedEndOfComment: 'This comment is never closed.',
  UnexpectedEndOfString: 'This text has no closing quote.',
  UnexpectedEndOfNumber: 'This number is incomplete.',
  InvalidUnicode: 'This \\u escape is malformed.',
  InvalidEscapeCharacter: 'This escape does not exist; write \\\\ for a backslash.',
  InvalidCharacter: 'This character cannot stand here unescaped.',
}

/**
 * Reads JSON with comments and trailing commas: people edit it. `secrets` finds the pointers of what must not be shown
 * in what the text says, as far as it can be understood.
 */
export function readSourceText(
  file: string,
  given: string,
  secrets: (value: unknown) => Iterable<string> = () => [],
): SourceText {
  // A byte order mark is no part of the text: the first column is the one behind it.
  const text = given.replace(/^\ufeff/, '')
  const errors: ParseError[] = []
  const locationAt = lineIndex(file, text)
  const tooDeep = firstTooDeep(text)
  // The parser, and those who walk its tree, call themselves for each level.
  const root =
    tooDeep === undefined
      ? parseTree(text, errors, { allowTrailingComma: true, disallowComments: false })
      : undefined
  const value: unknown = root === undefined ? undefined : getNodeValue(root)
  const exactNode = (pointer: string): Node | undefined =>
    root && findNodeAtLocation(root, path(root, pointer))
  const shown = withoutSecrets(
    text,
    [...secrets(value)].flatMap((pointer) => exactNode(pointer) ?? []),
  )
  const sliceOf = (from: string, pointer: string): string | undefined => {
    const node = exactNode(pointer)
    return node && from.slice(node.offset, node.offset + node.length)
  }
  const locationOfNode = (node: Node | undefined): SourceLocation =>
    locationAt(node?.offset ?? 0, node?.length ?? 0)
  const problem = (code: ErrorCode, location: SourceLocation, pointer: string, message: string): Problem => ({
    code,
    location,
    pointer,
    message,
  })
  // What follows the first mistake is mostly said of what the parser then took the rest for.
  const syntax = errors.slice(0, 1).map(({ error, offset, length }) => {
    const name = printParseErrorCode(error)
    return problem('HG_CONFIG_SYNTAX', locationAt(offset, length), '', SYNTAX[name] ?? name)
  })
  const duplicates = root === undefined || syntax.length > 0 ? [] : [...duplicateKeys(root, '')]
  return {
    file,
    value,
    lines: shown.split(/\r?\n/),
    comments: tooDeep === undefined ? readComments(text, locationAt) : [],
    problems: [
      ...(tooDeep === undefined
        ? []
        : [
            problem(
              'HG_CONFIG_SYNTAX',
              locationAt(tooDeep, 1),
              '',
              `Objects and arrays are nested deeper than ${DEEPEST} here.`,
            ),
          ]),
      ...(text.trim() === ''
        ? [problem('HG_CONFIG_SYNTAX', locationAt(0, 0), '', 'The file is empty.')]
        : syntax),
      ...duplicates.map(({ key, pointer }) =>
        problem(
          'HG_CONFIG_DUPLICATE_KEY',
          locationOfNode(key),
          pointer,
          `${JSON.stringify(key.value)} stands twice here.`,
        ),
      ),
    ],
    locationOf(pointer, within) {
      const node = exactNode(pointer)
      if (within === undefined || node?.type !== 'string') return locationOfNode(nodeOrAround(root, pointer))
      const written = text.slice(node.offset, node.offset + node.length)
      // The value may have come from a reference.
      if (written.includes('${') || within.to > String(node.value).length + 1) return locationOfNode(node)
      const from = offsetIn(written, within.from)
      return locationAt(node.offset + from, Math.max(1, offsetIn(written, within.to) - from))
    },
    locationOfKey(pointer) {
      const node = nodeOrAround(root, pointer)
      return locationOfNode(node?.parent?.type === 'property' ? node.parent.children?.[0] : node)
    },
    slice: (pointer) => sliceOf(text, pointer),
    quote(pointer) {
      const written = sliceOf(shown, pointer)?.replace(/\s+/g, ' ')
      if (written === undefined) return undefined
      return written.length > LONGEST_QUOTE ? `${written.slice(0, LONGEST_QUOTE)}...` : written
    },
  }
}

/** Where a character of a text stands in the text as JSON, with its quotes and escapes. */
function offsetIn(written: string, character: number): number {
  let offset = 1
  for (let passed = 0; passed < character && offset < written.length - 1; passed++)
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

/** The tokens of jsonc-parser that open and close; its enum exists for the compiler alone (isolatedModules). */
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
    // Scenario files can have a hundred thousand lines, so the line is not looked for one by one.
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

/** Puts stars in place of what stands at the nodes, so that every other character keeps its place. */
function withoutSecrets(text: string, nodes: readonly Node[]): string {
  return nodes.reduce((rest, { offset, length }) => {
    const written = rest.slice(offset, offset + length)
    const stars = written.replace(/[^"\r\n]|(?<=\\)"/g, '*')
    return rest.slice(0, offset) + stars + rest.slice(offset + length)
  }, text)
}

/** jsonc-parser wants numbers for the elements of arrays. */
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
  /** Without the marks of a comment. */
  readonly text: string
  readonly location: SourceLocation
  /** The line of what it stands beside, or else of the next thing below it. */
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
