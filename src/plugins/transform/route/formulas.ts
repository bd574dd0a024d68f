import { isSameNumber } from '../../../lib/json/exact-numbers.js'
import { child } from '../../../lib/json/pointer.js'
import { ALWAYS, type Formula, NEVER } from './formula.js'
import { isTruthy } from './jsonata.js'
import { literalOf, type Node } from './jsonata-syntax.js'

/** What jsonata's own types leave out. */
interface Parsed extends Node {
  readonly lhs?: Parsed
  readonly rhs?: Parsed
  readonly steps?: readonly Parsed[]
  readonly expressions?: readonly Parsed[]
}

/** JSONata itself gives up on deeper nesting, and on longer lists. Both limits are far below its own. */
const MOST_DEPTH = 100
const MOST_ELEMENTS = 1000

/** What a parsed expression asks of an event; in its parts where it compares places with literals. */
export const jsonataFormula = (ast: Node, text: string): Formula => formulaOf(ast, text, 1)

function formulaOf(node: Parsed, text: string, depth: number): Formula {
  const literal = literalOf(node)
  if (literal !== undefined) return isTruthy(literal) ? ALWAYS : NEVER
  const { type, value, lhs, rhs, expressions } = node
  if (depth === MOST_DEPTH) return opaque(node)
  if (type === 'block' && expressions?.length === 1 && isBare(node, BLOCK))
    return formulaOf(expressions[0] as Parsed, text, depth + 1)
  if (type !== 'binary' || lhs === undefined || rhs === undefined || !isBare(node, BINARY))
    return opaque(node)
  if (value === 'and' || value === 'or')
    return { kind: value, parts: [formulaOf(lhs, text, depth + 1), formulaOf(rhs, text, depth + 1)] }
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

function comparison(operator: '=' | '!=', path: Parsed, literal: Parsed, text: string): Formula | undefined {
  const place = placeOf(path)
  const value = literalOf(literal)
  if (place === undefined || value === undefined) return undefined
  return { kind: operator === '=' ? 'equals' : 'differs', place, value: exactJson(literal, value, text) }
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

function membership(path: Parsed, list: Parsed, text: string): Formula | undefined {
  const isList = list.type === 'unary' && list.value === '[' && isBare(list, LIST)
  const elements = isList ? (list.expressions ?? []) : []
  if (elements.length > MOST_ELEMENTS) return undefined
  const parts = elements.map((element) => comparison('=', path, element, text))
  return parts.length > 0 && parts.every((part) => part !== undefined) ? { kind: 'or', parts } : undefined
}

/** The pointer of a path that is nothing but names. */
function placeOf({ type, steps, ...rest }: Parsed): string | undefined {
  if (type !== 'path' || steps === undefined || Object.keys(rest).length > 0) return undefined
  const isName = (step: Parsed) => step.type === 'name' && isBare(step, NAME)
  return steps.every(isName) ? steps.reduce((at, { value }) => child(at, String(value)), '') : undefined
}

/** Two expressions are the same where they are parsed to the same, wherever that stands. */
function opaque(node: Parsed): Formula {
  const key = JSON.stringify(node, (name, value: unknown) =>
    name === 'position' ? undefined : value instanceof RegExp ? String(value) : value,
  )
  // What held a moment ago need not hold now.
  return { kind: 'holds', key, lasting: !/"(?:random|shuffle|millis)"/.test(key) }
}
