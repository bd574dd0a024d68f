import { createScanner, type Node, parseTree } from 'jsonc-parser'
import { child } from './pointer.js'

/** One place at which two documents differ; `expected` or `found` is absent if that document has no value there. */
export interface JsonDifference {
  /** JSON Pointer. */
  readonly pointer: string
  /** As JSON on one line, as it is written. */
  readonly expected?: string
  readonly found?: string
}

/** Whether members that only the found document has are a difference. */
export type Extras = 'differ' | 'ignored'

/**
 * The innermost places at which two JSON texts differ, in the order of `expected`. Numbers are compared by their digits, so that
 * different numbers over 2^53 are different; `1.0` equals `1`. Elements are compared by index.
 */
export function jsonDifferences(expected: string, found: string, extras: Extras): JsonDifference[] {
  const differences: JsonDifference[] = []
  const shown = (text: string, { offset, length }: Node) => compactJson(text.slice(offset, offset + length))
  const walk = (pointer: string, wanted: Node | undefined, actual: Node | undefined): void => {
    if (wanted === undefined && (actual === undefined || extras === 'ignored')) return
    if (wanted !== undefined && actual !== undefined && wanted.type === actual.type) {
      if (wanted.type === 'object') {
        both(pointer, members(wanted), members(actual))
        return
      }
      if (wanted.type === 'array') {
        const sameLength = wanted.children?.length === actual.children?.length
        if (sameLength || extras === 'differ') {
          both(pointer, elements(wanted), elements(actual))
          return
        }
      } else if (meaning(expected, wanted) === meaning(found, actual)) return
    }
    differences.push({
      pointer,
      ...(wanted !== undefined && { expected: shown(expected, wanted) }),
      ...(actual !== undefined && { found: shown(found, actual) }),
    })
  }
  const both = (pointer: string, wanted: Children, actual: Children): void => {
    for (const key of new Set([...wanted.keys(), ...actual.keys()]))
      walk(child(pointer, key), wanted.get(key), actual.get(key))
  }
  walk('', parseTree(expected), parseTree(found))
  return differences
}

type Children = ReadonlyMap<string, Node>

/** Of equal keys the last one counts, as in JSON.parse. */
const members = ({ children = [] }: Node): Children =>
  new Map(children.flatMap(({ children: [key, value] = [] }) => (key && value ? [[key.value, value]] : [])))

const elements = ({ children = [] }: Node): Children =>
  new Map(children.map((element, index) => [String(index), element]))

const meaning = (text: string, { type, value, offset, length }: Node): unknown =>
  type === 'number' ? decimal(text.slice(offset, offset + length)) : value

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** A number in one of its many notations: its digits without leading and trailing zeros, and the power of ten. */
function decimal(written: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(written) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)
  return `${sign}${significant}e${power}`
}

/**
 * JSON with comments and trailing commas as JSON on one line, each number and string as it is written: JSON.parse would lose
 * integers over 2^53, `1.0`, escapes and the order of numeric keys. `text` has been parsed before.
 */
export function compactJson(text: string): string {
  const scanner = createScanner(text, true)
  const nextToken = (): string => {
    scanner.scan()
    return text.substring(scanner.getTokenOffset(), scanner.getTokenOffset() + scanner.getTokenLength())
  }
  let compact = ''
  let comma = ''
  for (let token = nextToken(); token !== ''; token = nextToken()) {
    if (token === ',') {
      comma = token
      continue
    }
    // A trailing comma is not JSON.
    compact += token === '}' || token === ']' ? token : comma + token
    comma = ''
  }
  return compact
}
