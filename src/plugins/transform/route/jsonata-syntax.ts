import { HeadgateError } from '../../../errors.js'
import { compileLiteral } from './jsonata-regex.js'

/** A node of what JSONata parses an expression to. Its types do not name all that stands there. */
export interface Node {
  readonly type?: unknown
  readonly value?: unknown
  readonly position?: unknown
  readonly procedure?: Node
}

/** JSONata's limits are looked at between steps. What these functions do within one step has none. */
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

/** Throws HG_CONFIG_JSONATA where an expression could hang the process; under another name too (`$f := $eval`). */
export function refuseHazards(ast: Node): void {
  for (const node of nodesOf(ast)) {
    if (node.type === 'variable') refuseFunction(node)
    if (node.type === 'regex') refuseRegex(node)
    if (node.type === 'partial')
      throw refusal('Partial application', node, 'it escapes the limits; write a function')
  }
}

function refuseFunction(node: Node): void {
  const reason = REFUSED.get(String(node.value))
  if (reason !== undefined) throw refusal(`$${node.value}`, node, reason)
}

const refusal = (what: string, { position }: Node, reason: string) =>
  new HeadgateError('HG_CONFIG_JSONATA', `${what} is not allowed at position ${position}: ${reason}.`)

function refuseRegex({ value, position }: Node): void {
  try {
    compileLiteral(value as RegExp)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HeadgateError(
      'HG_CONFIG_JSONATA',
      `The regular expression that ends at position ${position}: ${reason}`,
    )
  }
}

const READING = new Set<unknown>([
  ...['path', 'name', 'wildcard', 'descendant', 'filter', 'condition', 'block', 'binary', 'unary'],
  ...['string', 'number', 'value', 'regex', 'variable', 'function'],
])
/** `items[]` marks an array of the event; the others bind parts of the event to names that can then be called. */
const MARKING = ['keepArray', 'keepSingletonArray', 'focus', 'index', 'tuple']

/**
 * True where evaluation certainly leaves its input alone. JSONata writes on what is called as a function, so only its
 * own may be called; they are the only variables with a name as long as nothing is bound.
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
