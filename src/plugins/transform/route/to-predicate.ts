import { isSameNumber } from '../../../lib/json/decimal.js'
import { child } from '../../../lib/json/pointer.js'
import { locator } from '../../../lib/locator.js'
import { compileRegex } from '../../../lib/regex.js'
import { isTruthy } from './jsonata.js'
import { requestPartOf } from './jsonata-request.js'
import { literalOf, type Node } from './jsonata-syntax.js'
import { ALWAYS, NEVER, type Predicate } from './predicate.js'
import type { When } from './settings.js'

/** Members that jsonata's own types leave out. */
interface Parsed extends Node {
  readonly lhs?: Parsed
  readonly rhs?: Parsed
  readonly steps?: readonly Parsed[]
  readonly expressions?: readonly Parsed[]
}

/** JSONata itself fails on deeper nesting and longer lists. Both limits are far below its own. */
const MOST_DEPTH = 100
const MOST_ELEMENTS = 1000

/** A parsed expression as a predicate: comparisons of paths with literals in their parts, the rest as a whole. */
export const jsonataPredicate = (ast: Node, text: string): Predicate => predicateOf(ast, text, 1)

function predicateOf(node: Parsed, text: string, depth: number): Predicate {
  const literal = literalOf(node)
  if (literal !== undefined) return isTruthy(literal) ? ALWAYS : NEVER
  const { type, value, lhs, rhs, expressions } = node
  if (depth === MOST_DEPTH) return opaque(node)
  if (type === 'block' && expressions?.length === 1 && isBare(node, BLOCK))
    return predicateOf(expressions[0] as Parsed, text, depth + 1)
  if (type !== 'binary' || lhs === undefined || rhs === undefined || !isBare(node, BINARY))
    return opaque(node)
  if (value === 'and' || value === 'or')
    return { kind: value, parts: [predicateOf(lhs, text, depth + 1), predicateOf(rhs, text, depth + 1)] }
  if (value === '=' || value === '!=')
    return comparison(value, lhs, rhs, text) ?? comparison(value, rhs, lhs, text) ?? opaque(node)
  return (value === 'in' ? membership(lhs, rhs, text) : undefined) ?? opaque(node)
}

/** How many keys a node has with nothing added to it, such as a filter behind it: `(a = 1)[0]`. */
const NAME = 3
const BLOCK = 3
const LIST = 4
const BINARY = 5

const isBare = (node: Parsed, keys: number): boolean => Object.keys(node).length === keys

function comparison(
  operator: '=' | '!=',
  operand: Parsed,
  literal: Parsed,
  text: string,
): Predicate | undefined {
  const path = pathOf(operand)
  const value = literalOf(literal)
  if (path === undefined || value === undefined) return undefined
  return { kind: operator === '=' ? 'equals' : 'differs', path, value: exactJson(literal, value, text) }
}

/** A literal as JSON. A number that a double cannot hold has the digits that were written. */
function exactJson({ position }: Parsed, value: unknown, text: string): string {
  const json = JSON.stringify(value)
  if (typeof value !== 'number') return json
  const digits = writtenNumber(text, position)
  const written = value < 0 || Object.is(value, -0) ? `-${digits}` : digits
  return digits === undefined || isSameNumber(json, String(written)) ? json : String(written)
}

/** The digits of the number that ends at a position of an expression. */
export const writtenNumber = (text: string, position: unknown): string | undefined =>
  /\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.exec(text.slice(0, Number(position)))?.[0]

function membership(operand: Parsed, list: Parsed, text: string): Predicate | undefined {
  const isList = list.type === 'unary' && list.value === '[' && isBare(list, LIST)
  const elements = isList ? (list.expressions ?? []) : []
  if (elements.length > MOST_ELEMENTS) return undefined
  const parts = elements.map((element) => comparison('=', operand, element, text))
  return parts.length > 0 && parts.every((part) => part !== undefined) ? { kind: 'or', parts } : undefined
}

/** The locator of a path that consists of names only, or of a part of the request. */
function pathOf(node: Parsed): string | undefined {
  const { type, steps, ...rest } = node
  if (type === 'variable') return isBare(node, NAME) ? requestPartOf(node) : undefined
  if (type !== 'path' || steps === undefined || Object.keys(rest).length > 0) return undefined
  if (!steps.every((step) => isBare(step, NAME))) return undefined
  if (steps[0]?.type === 'variable') return steps.length === 2 ? requestPartOf(node) : undefined
  const isName = (step: Parsed) => step.type === 'name'
  return steps.every(isName) ? steps.reduce((at, { value }) => child(at, String(value)), '') : undefined
}

/** Two expressions are the same if they are parsed to the same, wherever they stand. */
function opaque(node: Parsed): Predicate {
  const key = JSON.stringify(node, (name, value: unknown) =>
    name === 'position' ? undefined : value instanceof RegExp ? String(value) : value,
  )
  // These may give another result each time.
  return { kind: 'holds', key, lasting: !/"(?:random|shuffle|millis)"/.test(key) }
}

/** A regex as a predicate: plain words in their parts, any other regex as a whole. */
export function regexPredicate(regex: string, { at, flags = '' }: When): Predicate {
  const path = regexPath(at)
  // The payload always has a text, if only an empty one.
  if (matchesAnyText(regex, flags, at === undefined))
    return at === undefined ? ALWAYS : { kind: 'exists', path }
  const words = plainWords(regex, flags)
  if (words !== undefined)
    return { kind: 'or', parts: words.map((word) => ({ kind: 'text', path, ...word })) }
  const compiled = compileRegex(regex, flags)
  const key = JSON.stringify([regex, [...flags].sort()])
  return { kind: 'matches', path, key, test: (text) => compiled.test(text) }
}

/** A path of its own: a regex sees a value as text, and JSONata does not. */
export const regexPath = (at: string | undefined): string =>
  JSON.stringify(['regex', at === undefined ? at : locator(at).text])

export interface Word {
  readonly text: string
  readonly start: boolean
  readonly end: boolean
  readonly folded: boolean
}

/** Plain words with or without ^ and $: `^eu-`, `east$|west$`, `^(eu|us)-west$`. Undefined for any other regex. */
export function plainWords(regex: string, flags: string): Word[] | undefined {
  // An escaped | or parenthesis does not divide anything.
  if (flags.includes('m') || /\\[|()]/.test(regex)) return undefined
  const folded = flags.includes('i')
  const [, before, inner, after] = /^([^()|]*)\((?:\?:)?([^()]*)\)([^()|]*)$/.exec(regex) ?? []
  const words =
    inner === undefined
      ? regex.split('|').map((part) => wordOf(part, folded))
      : inner.split('|').map((part) => wordOf(`${before}${part}${after}`, folded))
  return words.every((word) => word !== undefined) ? words : undefined
}

function wordOf(part: string, folded: boolean): Word | undefined {
  const [, open, body, close] = /^(\^?)((?:[^\\^$.*+?()[\]{}|]|\\[^A-Za-z0-9])+)(\$?)$/s.exec(part) ?? []
  if (body === undefined) return undefined
  const text = body.replace(/\\(.)/gs, '$1')
  // Only in ASCII is it simple which letters are the same in another case.
  if (folded && /[^\0-\x7f]/.test(text)) return undefined
  return {
    text: folded ? text.toLowerCase() : text,
    start: open === '^',
    end: close === '$',
    folded,
  }
}

/**
 * True if a search certainly succeeds in any text: a regex that matches the empty text and looks at nothing around it
 * matches at the start of every text. ^ holds there, as $ does at the end, if only one of them stands. `oneLine`: compact JSON
 * has no line ends.
 */
export function matchesAnyText(regex: string, flags: string, oneLine: boolean): boolean {
  if (regex === '^.*$') return oneLine || flags.includes('s')
  const unanchored = regex.startsWith('^') ? regex.slice(1) : regex.replace(/\$$/, '')
  if (/[\^$]|\\[bBAzZ]/.test(unanchored)) return false
  try {
    return compileRegex(unanchored, flags).test('')
  } catch {
    return false
  }
}
