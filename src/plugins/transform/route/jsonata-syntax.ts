import type { Budget } from '../../../lib/budget.js'
import { compileEcmaRegex, type Regex } from '../../../lib/regex.js'
import type { ExpressionProblem } from './jsonata-errors.js'

/** A node of JSONata's syntax tree, of which its own types leave out some members. */
export interface Node {
  readonly type?: unknown
  readonly value?: unknown
  readonly position?: unknown
  readonly procedure?: Node
}

/** JSONata checks its limits between steps. Within one step, the work of these functions has no bound. */
const REFUSED = new Map([
  ['eval', 'it would run text of the event as an expression'],
  ['toMillis', 'its pictures become regular expressions that can hang'],
  ['fromMillis', 'its pictures can ask for output without end'],
  ['now', 'its pictures can ask for output without end; use $millis()'],
  ['formatNumber', 'it can loop without end'],
  ['formatInteger', 'it can loop without end'],
  ['pad', 'it can ask for output without end'],
  ['sort', 'it takes quadratic time; use the order-by operator ^(...)'],
  ['distinct', 'it takes quadratic time'],
])

/** Everything in an expression that could hang the process, also under another name (`$f := $eval`). */
export function* hazards(text: string, ast: Node): Generator<ExpressionProblem> {
  for (const node of nodesOf(ast)) {
    const reason = node.type === 'variable' ? REFUSED.get(String(node.value)) : undefined
    if (reason !== undefined) yield refusal(text, `$${node.value}`, node, reason)
    if (node.type === 'regex') yield* regexProblems(text, node)
    if (node.type === 'partial')
      yield refusal(text, 'Partial application', node, 'it escapes the limits; write a function')
  }
}

const refusal = (text: string, what: string, node: Node, reason: string): ExpressionProblem => ({
  message: `${what} is not allowed at position ${node.position}: ${reason}.`,
  ...spanOf(text, node, what.startsWith('$') ? what : '('),
})

function* regexProblems(text: string, { value, position }: Node): Generator<ExpressionProblem> {
  try {
    compileLiteral(value as RegExp)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    yield {
      message: `The regular expression that ends at position ${position}: ${reason}`,
      ...spanOf(text, { position }, `/${(value as RegExp).source}/`),
    }
  }
}

/** The span of a word in an expression: a node knows the end of its first word, or a position behind it. */
export function spanOf(
  text: string,
  { position }: Pick<Node, 'position'>,
  word: string,
): { readonly from: number; readonly to: number } {
  const end = typeof position === 'number' ? position : text.length
  const from = text.lastIndexOf(word, end - word.length)
  return from === -1 ? { from: Math.max(0, end - 1), to: end } : { from, to: from + word.length }
}

const READING = new Set<unknown>([
  ...['path', 'name', 'wildcard', 'descendant', 'filter', 'condition', 'block', 'binary', 'unary'],
  ...['string', 'number', 'value', 'regex', 'variable', 'function'],
])
/** `items[]` marks an array of the event; the others bind parts of the event to names, which can then be called. */
const MARKING = ['keepArray', 'keepSingletonArray', 'focus', 'index', 'tuple']

/**
 * True if evaluation certainly does not change its input. JSONata writes on any value that is called as a function,
 * so only its own functions may be called; as long as nothing is bound, these are the only named variables.
 */
export function onlyReads(ast: Node): boolean {
  return nodesOf(ast).every(
    (node) =>
      (node.type === undefined || READING.has(node.type)) &&
      !MARKING.some((mark) => mark in node) &&
      (node.type !== 'function' ||
        (node.procedure?.type === 'variable' && /^[a-z]/i.test(String(node.procedure.value)))),
  )
}

/** The value of an expression that is nothing but a literal. */
export const literalOf = (node: Node): unknown =>
  ['value', 'string', 'number'].includes(String(node.type)) && Object.keys(node).length === 3
    ? node.value
    : undefined

/** All nodes of an expression. */
export function nodesOf(ast: Node): Node[] {
  const found = new Set<Node>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || found.has(value)) return
    found.add(value)
    for (const inner of Object.values(value)) visit(inner)
  }
  visit(ast)
  return [...found]
}

/** Steps for the object that JSONata makes of one match; this also bounds how many are in memory. */
const STEPS_OF_A_MATCH = 100

/**
 * The engine of JSONata's regular expressions. JSONata makes one for each evaluation of a literal and steps through the matches
 * by `lastIndex`, as with the flag g. To find all matches is quadratic even in linear time (`a(.*b)?` looks to the end from
 * every a): hence the budget, which is that of the evaluation.
 */
export function linearRegexEngine(budget: () => Budget): RegExpConstructor {
  class LinearRegex {
    lastIndex = 0
    readonly #regex: Regex

    constructor(literal: RegExp) {
      this.#regex = compileLiteral(literal)
    }

    exec(text: string): RegExpExecArray | null {
      const spending = budget()
      spending.spend(STEPS_OF_A_MATCH)
      const found =
        this.lastIndex > text.length ? undefined : this.#regex.find(text, this.lastIndex, spending)
      if (found === undefined) {
        this.lastIndex = 0
        return null
      }
      const [index = 0, end = 0] = found
      this.lastIndex = end
      const groups: (string | undefined)[] = []
      for (let group = 0; group < found.length; group += 2) {
        const from = found[group] as number
        groups.push(from < 0 ? undefined : text.slice(from, found[group + 1]))
      }
      return Object.assign(groups, { index, input: text }) as RegExpExecArray
    }
  }
  return LinearRegex as unknown as RegExpConstructor
}

const compiled = new WeakMap<RegExp, Regex>()

/** Compiles a regular expression literal of an expression, once. Throws HG_CONFIG_REGEX. */
export function compileLiteral(literal: RegExp): Regex {
  const existing = compiled.get(literal)
  if (existing !== undefined) return existing
  const regex = compileEcmaRegex(literal.source, literal.flags)
  compiled.set(literal, regex)
  return regex
}
