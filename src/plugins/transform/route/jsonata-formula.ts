import { child } from '../../../json/pointer.js'
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
export const jsonataFormula = (ast: Node): Formula => formulaOf(ast, 1)

function formulaOf(node: Parsed, depth: number): Formula {
  const literal = literalOf(node)
  if (literal !== undefined) return isTruthy(literal) ? ALWAYS : NEVER
  const { type, value, lhs, rhs, expressions } = node
  if (depth === MOST_DEPTH) return opaque(node)
  if (type === 'block' && expressions?.length === 1 && isBare(node, BLOCK))
    return formulaOf(expressions[0] as Parsed, depth + 1)
  if (type !== 'binary' || lhs === undefined || rhs === undefined || !isBare(node, BINARY))
    return opaque(node)
  if (value === 'and' || value === 'or')
    return { kind: value, parts: [formulaOf(lhs, depth + 1), formulaOf(rhs, depth + 1)] }
  if (value === '=' || value === '!=')
    return comparison(value, lhs, rhs) ?? comparison(value, rhs, lhs) ?? opaque(node)
  return (value === 'in' ? membership(lhs, rhs) : undefined) ?? opaque(node)
}

/** How many keys a node has with nothing added to it, such as a filter behind it: `(a = 1)[0]`. */
const NAME = 3
const BLOCK = 3
const LIST = 4
const BINARY = 5

const isBare = (node: Parsed, keys: number): boolean => Object.keys(node).length === keys

function comparison(operator: '=' | '!=', path: Parsed, literal: Parsed): Formula | undefined {
  const place = placeOf(path)
  const value = literalOf(literal)
  if (place === undefined || value === undefined) return undefined
  return { kind: operator === '=' ? 'equals' : 'differs', place, value: JSON.stringify(value) }
}

function membership(path: Parsed, list: Parsed): Formula | undefined {
  const isList = list.type === 'unary' && list.value === '[' && isBare(list, LIST)
  const elements = isList ? (list.expressions ?? []) : []
  if (elements.length > MOST_ELEMENTS) return undefined
  const parts = elements.map((element) => comparison('=', path, element))
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
