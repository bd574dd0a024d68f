import { BUILTINS, type Builtin } from './jsonata-builtins.js'
import { closestMatch, type ExpressionProblem } from './jsonata-errors.js'
import { REQUEST_VARIABLES, requestProblems } from './jsonata-request.js'
import { type Node, nodesOf, spanOf } from './jsonata-syntax.js'

/** Members that jsonata's own types leave out. */
interface Parsed extends Node {
  readonly procedure?: Parsed
  readonly lhs?: Parsed
  readonly rhs?: Parsed
  readonly steps?: readonly Parsed[]
  readonly arguments?: readonly Parsed[]
  readonly focus?: unknown
  readonly index?: unknown
}

/** Problems that an expression has with any event: unknown names, impossible calls. */
export function* staticProblems(
  text: string,
  ast: Node,
  builtins: ReadonlyMap<string, Builtin>,
): Generator<ExpressionProblem> {
  const nodes: readonly Parsed[] = nodesOf(ast)
  const own = boundNames(nodes)
  const bound = new Set([...own, '', '$', 'now', 'millis', ...REQUEST_VARIABLES, ...BUILTINS])
  // A function of the expression's own may have the name of one of JSONata's.
  const callable = new Map([...builtins].filter(([name]) => !own.has(name)))
  yield* requestProblems(text, nodes, own)
  const applied = new Set(nodes.map((node) => (node.type === 'apply' ? node.rhs : undefined)))
  for (const node of nodes) {
    if (node.type === 'variable') yield* variableProblems(text, node, bound)
    if (node.type === 'function') yield* callProblems(text, node, callable, applied.has(node))
    if (node.type === 'binary') yield* operatorProblems(text, node, callable)
    if (node.type === 'name' && /[“”‘’„«»]/.test(String(node.value)))
      yield {
        ...spanOf(text, node, String(node.value)),
        message: 'Typographic quotes do not delimit a text.',
        suggestion: 'Write "..." or \'...\' in place of typographic quotes.',
      }
  }
}

/** All names that are bound anywhere: a name with a typo is bound nowhere. */
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
  const near = closestMatch(
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
        message: `There is no variable or function $${name}.`,
        suggestion: meant ?? `For a member of the event, leave out the $: "${name}".`,
      }
}

function* callProblems(
  text: string,
  node: Parsed,
  builtins: ReadonlyMap<string, Builtin>,
  isApplied: boolean,
): Generator<ExpressionProblem> {
  const { procedure, arguments: operands = [] } = node
  const [step, ...others] = procedure?.type === 'path' ? (procedure.steps ?? []) : []
  if (step?.type === 'name' && others.length === 0) {
    const name = String(step.value)
    const near = closestMatch(name, [...BUILTINS])
    yield {
      ...spanOf(text, step, name),
      message: `"${name}" is called as a function, but the names of JSONata functions begin with $.`,
      ...(near !== undefined && { suggestion: `Write $${near}(...).` }),
    }
    return
  }
  const signature =
    procedure?.type === 'variable' ? signatureOf(String(procedure.value), builtins) : undefined
  if (procedure === undefined || signature === undefined) return
  const kinds = operands.map((argument) => kindOf(argument, builtins))
  const wrong = unfit(signature, isApplied ? ['?', ...kinds] : kinds)
  if (wrong === undefined) return
  yield {
    ...spanOf(text, procedure, `$${procedure.value}`),
    message: `$${procedure.value} cannot be called with these arguments. ${wrong.reason}`,
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
      message: `"${operator}" does not compare with a regex.`,
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

/** The kind of an expression's value, if it has one; "?" if that depends on the event. */
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

/** Parameters as JSONata writes them: `<s-(sf)n?:b>`. */
export interface Signature {
  readonly parameters: readonly Parameter[]
  /** The letter of its result; undefined if that can be anything. */
  readonly result: string | undefined
}

interface Parameter {
  /** Letters: s text, n number, b boolean, l null, a list, o object, f function; x and j stand for several. */
  readonly types: string
  readonly isOptional: boolean
  readonly isRepeated: boolean
}

const NAMES: { readonly [letter: string]: string } = {
  s: 'text',
  n: 'a number',
  b: 'true or false',
  l: 'null',
  a: 'a list',
  o: 'an object',
  f: 'a function or a regex',
}

export function parseSignature(text: string): Signature {
  const [, inner = '', result] = /^<(.*?)(?::(\w)(?:<.*>)?)?>$/.exec(text) ?? []
  const found = inner.matchAll(/(\(\w+\)|\w)(?:<[^<>]*(?:<[^<>]*>)?[^<>]*>)?([-?+]*)/g)
  const parameters = [...found].map(([, types = '', marks = '']) => ({
    types: types
      .replace(/[()]/g, '')
      .replace('x', 'asnblfo')
      .replace('j', 'asnblo')
      .replace(/^a$/, 'asnblfo'),
    isOptional: /[-?]/.test(marks),
    isRepeated: marks.includes('+'),
  }))
  return { parameters, result: result === 'x' || result === 'j' ? undefined : result }
}

/** A letter for each argument whose kind is known before there is an event, and "?" for any other. */
export type Kinds = readonly string[]

/**
 * The fault of the arguments, and the index of the one at fault (their number if there are too few); undefined if
 * they can be valid.
 */
export function unfit(
  { parameters }: Signature,
  kinds: Kinds,
): { readonly index: number; readonly reason: string } | undefined {
  const least = parameters.filter(({ isOptional }) => !isOptional).length
  const most = parameters.some(({ isRepeated }) => isRepeated) ? Number.POSITIVE_INFINITY : parameters.length
  if (kinds.length < least || kinds.length > most)
    return {
      index: Math.min(kinds.length, most),
      reason: `It takes ${counted(least, most)}, and has ${kinds.length || 'none'}.`,
    }
  if (fits(parameters, kinds)) return undefined
  const index = kinds.findIndex((_, at) => !fits(parameters, kinds.slice(0, at + 1).concat(rest(kinds, at))))
  const expected = parameters[index]?.types ?? ''
  const kind = kinds[index] ?? ''
  if (expected.includes(kind)) return { index, reason: 'An argument is missing.' }
  const wanted = [...expected].map((letter) => NAMES[letter]).join(', or ')
  return { index, reason: `Its argument ${index + 1} is ${NAMES[kind]}, and should be ${wanted}.` }
}

const rest = (kinds: Kinds, at: number): string[] => kinds.slice(at + 1).map(() => '?')

function fits(parameters: readonly Parameter[], kinds: Kinds): boolean {
  const [parameter, ...others] = parameters
  if (parameter === undefined) return kinds.length === 0
  if (parameter.isOptional && fits(others, kinds)) return true
  const [kind, ...more] = kinds
  if (kind === undefined || (kind !== '?' && !parameter.types.includes(kind))) return false
  return fits(others, more) || (parameter.isRepeated && fits(parameters, more))
}

function counted(least: number, most: number): string {
  const of = (count: number) => (count === 1 ? '1 argument' : `${count} arguments`)
  if (least === most) return of(least)
  return most === Number.POSITIVE_INFINITY ? `at least ${of(least)}` : `${least} to ${of(most)}`
}
