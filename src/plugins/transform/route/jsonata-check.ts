import { BUILTINS, type Builtin } from './jsonata-builtins.js'
import { parseSignature, type Signature, unfit } from './jsonata-signature.js'
import { type ExpressionProblem, nearestName } from './jsonata-slips.js'
import { type Node, nodesOf, spanOf } from './jsonata-syntax.js'

/** What jsonata's own types leave out. */
interface Parsed extends Node {
  readonly procedure?: Parsed
  readonly lhs?: Parsed
  readonly rhs?: Parsed
  readonly steps?: readonly Parsed[]
  readonly arguments?: readonly Parsed[]
  readonly focus?: unknown
  readonly index?: unknown
}

/** What an expression says that is true, or an error, whatever the event: unknown names, calls that cannot be. */
export function* staticProblems(
  text: string,
  ast: Node,
  builtins: ReadonlyMap<string, Builtin>,
): Generator<ExpressionProblem> {
  const nodes: readonly Parsed[] = nodesOf(ast)
  const own = boundNames(nodes)
  const bound = new Set([...own, '', '$', 'now', 'millis', ...BUILTINS])
  // A function of the expression's own may have the name of one of JSONata's.
  const callable = new Map([...builtins].filter(([name]) => !own.has(name)))
  const applied = new Set(nodes.map((node) => (node.type === 'apply' ? node.rhs : undefined)))
  for (const node of nodes) {
    if (node.type === 'variable') yield* variableProblems(text, node, bound)
    if (node.type === 'function') yield* callProblems(text, node, callable, applied.has(node))
    if (node.type === 'binary') yield* operatorProblems(text, node, callable)
    if (node.type === 'name' && /[“”‘’„«»]/.test(String(node.value)))
      yield {
        ...spanOf(text, node, String(node.value)),
        message: 'Text stands in straight quotes.',
        suggestion: 'Write "..." or \'...\' in place of typographic quotes.',
      }
  }
}

/** Where a name is bound does not matter: that it is at all is what a slip of the pen does not have. */
function boundNames(nodes: readonly Parsed[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { type, lhs, focus, index, arguments: parameters = [] } of nodes) {
    if (type === 'bind') names.add(String(lhs?.value))
    if (type === 'lambda') for (const { value } of parameters) names.add(String(value))
    for (const name of [focus, index]) if (name !== undefined) names.add(String(name))
  }
  for (const { type, value } of nodes) if (type === 'index') names.add(String(value))
  return names
}

function* variableProblems(
  text: string,
  node: Parsed,
  bound: ReadonlySet<string>,
): Generator<ExpressionProblem> {
  const name = String(node.value)
  if (bound.has(name)) return
  const span = spanOf(text, node, `$${name}`)
  const isCalled = /^\s*\(/.test(text.slice(span.to))
  const near = nearestName(
    name,
    [...bound].filter((each) => each.length > 1),
  )
  const meant = near === undefined ? undefined : `Did you mean "$${near}"?`
  yield isCalled
    ? {
        ...span,
        message: `JSONata has no function $${name}.`,
        suggestion: meant ?? 'docs.jsonata.org lists the functions.',
      }
    : {
        ...span,
        message: `Nothing is called $${name}.`,
        suggestion: meant ?? `A member of the event has no $ in front: "${name}".`,
      }
}

function* callProblems(
  text: string,
  node: Parsed,
  builtins: ReadonlyMap<string, Builtin>,
  isApplied: boolean,
): Generator<ExpressionProblem> {
  const { procedure, arguments: given = [] } = node
  const [step, ...others] = procedure?.type === 'path' ? (procedure.steps ?? []) : []
  if (step?.type === 'name' && others.length === 0) {
    const name = String(step.value)
    const near = nearestName(name, [...BUILTINS])
    yield {
      ...spanOf(text, step, name),
      message: `"${name}" is called like a function, and the functions of JSONata begin with $.`,
      ...(near !== undefined && { suggestion: `Write $${near}(...).` }),
    }
    return
  }
  const signature =
    procedure?.type === 'variable' ? signatureOf(String(procedure.value), builtins) : undefined
  if (procedure === undefined || signature === undefined) return
  const kinds = given.map((argument) => kindOf(argument, builtins))
  const wrong = unfit(signature, isApplied ? ['?', ...kinds] : kinds)
  if (wrong === undefined) return
  yield {
    ...spanOf(text, procedure, `$${procedure.value}`),
    message: `$${procedure.value} cannot be called so. ${wrong.reason}`,
  }
}

const signatureOf = (name: string, builtins: ReadonlyMap<string, Builtin>): Signature | undefined => {
  const definition = builtins.get(name)?.signature?.definition
  return definition === undefined ? undefined : parseSignature(definition)
}

const ARITHMETIC = new Set<unknown>(['+', '-', '*', '/', '%'])
const ORDER = new Set<unknown>(['<', '<=', '>', '>='])
const EQUALITY = new Set<unknown>(['=', '!=', 'in'])

function* operatorProblems(
  text: string,
  node: Parsed,
  builtins: ReadonlyMap<string, Builtin>,
): Generator<ExpressionProblem> {
  const operator = String(node.value)
  const span = spanOf(text, node, operator)
  const operands = [node.lhs, node.rhs].filter((each) => each !== undefined)
  const kinds = operands.map((operand) => kindOf(operand, builtins))
  if ((EQUALITY.has(operator) || ORDER.has(operator)) && operands.some(({ type }) => type === 'regex'))
    yield {
      ...span,
      message: `A regex is no value that "${operator}" could find.`,
      suggestion: 'Write $contains(payload.region, /^eu-/).',
    }
  else if (ARITHMETIC.has(operator) && kinds.some((kind) => !'n?'.includes(kind)))
    yield {
      ...span,
      message: `"${operator}" takes numbers.`,
      suggestion:
        operator === '+' ? 'Texts are joined with "&".' : 'For the number in a text, write $number(...).',
    }
  else if (ORDER.has(operator) && kinds.some((kind) => !'ns?'.includes(kind)))
    yield { ...span, message: `"${operator}" compares numbers, or texts.` }
  else if (ORDER.has(operator) && kinds.includes('n') && kinds.includes('s'))
    yield {
      ...span,
      message: `"${operator}" cannot compare a number with a text.`,
      suggestion: 'For the number in a text, write $number(...).',
    }
}

/** The kind of what an expression gives, unless it gives nothing; "?" where only the event can say. */
function kindOf(node: Parsed, builtins: ReadonlyMap<string, Builtin>): string {
  const { type, value } = node
  if ('predicate' in node || 'group' in node || 'stages' in node) return '?'
  if (type === 'string') return 's'
  if (type === 'number') return 'n'
  if (type === 'regex' || type === 'lambda') return 'f'
  if (type === 'value') return value === null ? 'l' : typeof value === 'boolean' ? 'b' : '?'
  if (type === 'unary') return value === '[' ? 'a' : value === '{' ? 'o' : 'n'
  if (type === 'binary') {
    if (ARITHMETIC.has(value)) return 'n'
    return value === '&' ? 's' : value === '..' ? '?' : 'b'
  }
  if (type === 'function' && node.procedure?.type === 'variable') {
    const result = signatureOf(String(node.procedure.value), builtins)?.result
    // A list of one is given as its element.
    return result === undefined || result === 'a' || result === 'o' ? '?' : result
  }
  if (type === 'variable' && builtins.has(String(value))) return 'f'
  return '?'
}
