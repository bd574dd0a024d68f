import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'
import type { ErrorCode } from '../../errors.js'
import { child, pointer as compilePointer } from '../../json/pointer.js'
import type { Place, Problem } from './problem.js'

/** A config file as text: gives the place in it of everything that is said about it. */
export interface SourceText {
  readonly file: string
  /** What the text says; undefined where it is not JSON at all. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** The place of the value at a pointer; of the nearest thing around it where it is missing. */
  placeOf(pointer: string): Place
  /** The place of the key itself. */
  placeOfKey(pointer: string): Place
  /** The value at a pointer as it is written, on one line and cut where it is long. */
  quote(pointer: string): string | undefined
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

/** Reads JSON with comments and trailing commas: people edit it. */
export function readSourceText(file: string, text: string): SourceText {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false })
  const placeAt = lineIndex(file, text)
  const nodeAt = (pointer: string): Node | undefined => nodeOrAround(root, pointer)
  const problem = (code: ErrorCode, offset: number, pointer: string, message: string): Problem => ({
    code,
    place: placeAt(offset),
    pointer,
    message,
  })
  const syntax = errors.map(({ error, offset }) => {
    const name = printParseErrorCode(error)
    return problem('HG_CONFIG_SYNTAX', offset, '', SYNTAX[name] ?? name)
  })
  const duplicates = root === undefined || syntax.length > 0 ? [] : [...duplicateKeys(root, '')]
  return {
    file,
    value: root === undefined ? undefined : getNodeValue(root),
    problems: [
      ...(text.trim() === '' ? [problem('HG_CONFIG_SYNTAX', 0, '', 'The file is empty.')] : syntax),
      ...duplicates.map(({ key, pointer }) =>
        problem(
          'HG_CONFIG_DUPLICATE_KEY',
          key.offset,
          pointer,
          `${JSON.stringify(key.value)} stands twice here.`,
        ),
      ),
    ],
    placeOf: (pointer) => placeAt(nodeAt(pointer)?.offset ?? 0),
    placeOfKey(pointer) {
      const node = nodeAt(pointer)
      const key = node?.parent?.type === 'property' ? node.parent.children?.[0] : node
      return placeAt(key?.offset ?? 0)
    },
    quote(pointer) {
      const node = root && findNodeAtLocation(root, path(root, pointer))
      if (node === undefined) return undefined
      const written = text.slice(node.offset, node.offset + node.length).replace(/\s+/g, ' ')
      return written.length > LONGEST_QUOTE ? `${written.slice(0, LONGEST_QUOTE)}...` : written
    },
  }
}

function lineIndex(file: string, text: string): (offset: number) => Place {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let line = starts.length
    while ((starts[line - 1] as number) > offset) line--
    return { file, line, column: offset - (starts[line - 1] as number) + 1 }
  }
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
