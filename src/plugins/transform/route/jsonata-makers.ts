import { currentBudget, LARGEST, tooLarge, weigh } from './jsonata-budget.js'
import { literalOf, type Node, nodesOf } from './jsonata-syntax.js'

/** What jsonata's own types leave out. */
interface Parsed extends Node {
  readonly steps?: readonly Parsed[]
  readonly expressions?: readonly Parsed[]
}

/**
 * Checks what comes of those steps of an expression that can make a value larger than the event is, by having a part of
 * it many times: `items.$$`, `{"a": $x, "b": $x}`, `$s & $s`. Undefined for an expression that has none.
 */
export function makerCheck(ast: Node): ((node: object, ...rest: unknown[]) => void) | undefined {
  const nodes = nodesOf(ast)
  const hasTransform = nodes.some(({ type }) => type === 'transform')
  const makers = new Set<object>(
    nodes.filter(
      (node) => isMaker(node) || (hasTransform && (node.type === 'apply' || node.type === 'function')),
    ),
  )
  if (makers.size === 0) return undefined
  return (node, _input, _environment, result) => {
    if (!makers.has(node)) return
    if (typeof result === 'string') {
      currentBudget().spend(result.length / 4)
      if (result.length > LARGEST) throw tooLarge()
    } else weigh(result)
  }
}

const MAKING = new Set<unknown>(['wildcard', 'descendant', 'parent'])

function isMaker(node: Parsed): boolean {
  const { type, value, steps = [], expressions = [] } = node
  if ('group' in node || MAKING.has(type)) return true
  if (type === 'unary')
    return value === '{' || (value === '[' && expressions.some((each) => literalOf(each) === undefined))
  if (type === 'binary') return value === '&'
  return type === 'path' && steps.some((step, index) => index > 0 && step.type !== 'name')
}

/** The elements of the longest list that an expression writes out. JSONata evaluates all of them at once. */
export const longestList = (ast: Node): number =>
  Math.max(0, ...nodesOf(ast).map(({ expressions = [] }: Parsed) => expressions.length))
