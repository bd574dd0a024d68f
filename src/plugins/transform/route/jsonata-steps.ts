import { currentBudget, LARGEST, tooLarge, WRITE, weigh } from './jsonata-budget.js'
import { BUILTINS } from './jsonata-builtins.js'
import { literalOf, type Node, nodesOf } from './jsonata-syntax.js'

/** Members that jsonata's own types leave out. */
interface Parsed extends Node {
  readonly lhs?: Parsed
  readonly rhs?: Parsed
  readonly steps?: readonly Parsed[]
  readonly stages?: readonly Stage[]
  readonly predicate?: readonly Stage[]
  readonly condition?: Parsed
  readonly expressions?: readonly Parsed[]
  readonly arguments?: readonly Parsed[]
  readonly signature?: unknown
}

interface Stage {
  readonly type?: unknown
  readonly expr?: Parsed
}

/** Called after the evaluation of each node, with its input and its result. */
export type StepCheck = (node: object, input: unknown, environment: unknown, result: unknown) => void

/**
 * Counts the work of steps that process a whole value, and refuses values that are larger than any event because they
 * repeat one part of it: `items.$$`, `{"a": $x, "b": $x}`, `$s & $s`. Undefined for an expression whose steps process
 * single values only.
 */
export function stepCheck(ast: Node): StepCheck | undefined {
  const nodes: readonly Parsed[] = nodesOf(ast)
  const hasTransform = nodes.some(({ type }) => type === 'transform')
  const makers = new Set<object>(
    nodes.filter(
      (node) => isMaker(node) || (hasTransform && (node.type === 'apply' || node.type === 'function')),
    ),
  )
  // Otherwise no value is gone through more often than the expression is long, which the clock bounds.
  const isRepeating = nodes.some(repeats) && nodes.some(isAbsolute)
  if (makers.size === 0 && !isRepeating) return undefined
  const uses = usesOf(nodes)
  const compared = new Map(nodes.filter(isComparison).map((node) => [node as object, node]))
  /** The last values of the operands of comparisons. */
  const operands = new Map<object, unknown>()
  for (const { lhs, rhs } of compared.values())
    for (const operand of [lhs, rhs]) operands.set(operand as object, undefined)

  return (node, input, _environment, result) => {
    if (makers.has(node)) checkMade(result)
    if (typeof result === 'object' && result !== null) uses.get(node)?.(result)
    if (operands.has(node)) operands.set(node, result)
    const comparison = compared.get(node)
    if (comparison !== undefined)
      spendOnComparison(operands.get(comparison.lhs as object), operands.get(comparison.rhs as object))
    // A name is looked up in each element of lists in lists.
    if (isRepeating && Array.isArray(input) && (node as Node).type === 'name') spendOnLists(input)
  }
}

function checkMade(result: unknown): void {
  if (typeof result === 'string') {
    currentBudget().spend(result.length / 4)
    if (result.length > LARGEST) throw tooLarge()
  } else weigh(result)
}

type Use = (value: object) => void

/** The nodes whose values their step traverses, each with the cost of the traversal. */
function usesOf(nodes: readonly Parsed[]): ReadonlyMap<object, Use> {
  const uses = new Map<object, Use>()
  const add = (node: Parsed | undefined, use: Use) => {
    if (node !== undefined && !isScalar(node)) uses.set(node, use)
  }
  const hasSignatures = nodes.some(({ type, signature }) => type === 'lambda' && signature !== undefined)
  for (const node of nodes) {
    const { type, value, lhs, rhs, condition } = node
    if (type === 'binary' && value === '&') for (const operand of [lhs, rhs]) add(operand, spendOnWriting)
    if (type === 'binary' && value === 'in') add(rhs, spendOnLists)
    if (type === 'binary' && (value === 'and' || value === 'or'))
      for (const operand of [lhs, rhs]) add(operand, spendOnLists)
    if (type === 'condition') add(condition, spendOnLists)
    for (const { expr } of [...(node.predicate ?? []), ...(node.stages ?? [])]) add(expr, spendOnLists)
    if (hasSignatures && type === 'function')
      for (const argument of node.arguments ?? []) add(argument, spendOnLists)
  }
  return uses
}

const spendOnWriting = (value: object): void => weigh(value, WRITE)

/** All elements of a list, and of the lists in it. */
function spendOnLists(value: object): void {
  if (!Array.isArray(value)) return
  currentBudget().spend(value.length + 2)
  for (const element of value) if (Array.isArray(element)) spendOnLists(element)
}

/** To list the names of an object and to sort them, for each. */
const NAME = 12

/** As JSONata compares, which ends at the first difference. The elements of a list count as members of it. */
function spendOnComparison(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false
    return a.every((element, index) => {
      currentBudget().spend(2)
      return spendOnComparison(element, b[index])
    })
  }
  const names = Array.isArray(a) ? a.length : Object.keys(a)
  const others = Array.isArray(b) ? b.length : Object.keys(b)
  const count = (one: number | readonly string[]) => (typeof one === 'number' ? one : one.length)
  currentBudget().spend(NAME * (count(names) + count(others) + 1))
  if (typeof names === 'number' || typeof others === 'number' || names.length !== others.length) return false
  return names.every((name) => Object.hasOwn(b, name) && spendOnComparison(member(a, name), member(b, name)))
}

const member = (value: object, name: string): unknown => (value as { readonly [name: string]: unknown })[name]

const MAKING = new Set<unknown>(['wildcard', 'descendant', 'parent'])

function isMaker(node: Parsed): boolean {
  const { type, value, expressions = [] } = node
  if ('group' in node || MAKING.has(type)) return true
  if (type === 'unary')
    return value === '{' || (value === '[' && expressions.some((each) => literalOf(each) === undefined))
  if (type === 'binary') return value === '&'
  return type === 'path' && hasSteps(node)
}

/** Has steps that are evaluated for each element, and are more than a name. */
const hasSteps = ({ steps = [] }: Parsed): boolean =>
  steps.some((step, index) => index > 0 && step.type !== 'name')

/** May evaluate its parts many times for one event. */
const repeats = (node: Parsed): boolean =>
  node.type === 'lambda' ||
  node.type === 'sort' ||
  (node.type === 'path' && hasSteps(node)) ||
  [...(node.predicate ?? []), ...(node.stages ?? [])].some(
    ({ expr }) => expr !== undefined && literalOf(expr) === undefined,
  )

const FUNCTIONS: ReadonlySet<unknown> = new Set([...BUILTINS, '', 'now', 'millis'])

/** Has the same value wherever it is evaluated, such as `$$` or a variable. */
const isAbsolute = ({ type, value }: Parsed): boolean =>
  type === 'parent' || (type === 'variable' && !FUNCTIONS.has(value))

/** Compares two values, either of which may be a list or an object. */
const isComparison = ({ type, value, lhs, rhs }: Parsed): boolean =>
  type === 'binary' &&
  (value === '=' || value === '!=') &&
  [lhs, rhs].every((operand) => operand !== undefined && !isScalar(operand))

/** Its value is certainly not a list or an object. */
const isScalar = (node: Parsed): boolean =>
  literalOf(node) !== undefined ||
  (node.type === 'binary' && node.value !== '..' && node.predicate === undefined) ||
  (node.type === 'unary' && node.value === '-')

/** The elements of the longest list that an expression writes out. JSONata evaluates all of them at once. */
export const longestList = (ast: Node): number =>
  Math.max(0, ...nodesOf(ast).map(({ expressions = [] }: Parsed) => expressions.length))
