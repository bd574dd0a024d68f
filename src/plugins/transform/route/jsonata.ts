import { createRequire } from 'node:module'
import type jsonata from 'jsonata'
import { HeadgateError } from '../../../contract/errors.js'
import type { JsonBody, RequestParts } from '../../../contract/index.js'
import { Budget } from '../../../lib/budget.js'
import { nextTurn } from '../../../lib/slices.js'
import { currentBudget, evaluateAlone } from './jsonata-budget.js'
import { type Builtin, bounded, builtinsOf, EXIT } from './jsonata-builtins.js'
import { staticProblems } from './jsonata-check.js'
import { type ExpressionProblem, syntaxProblem } from './jsonata-errors.js'
import { requestBindings, requestUses, requestValues } from './jsonata-request.js'
import { longestList, stepCheck } from './jsonata-steps.js'
import { hazards, linearRegexEngine, type Node, nodesOf, onlyReads } from './jsonata-syntax.js'

export interface Expression {
  /** Whether the event matches. Rejects with the errors of JSONata; `evaluationError` translates them. */
  matches(body: JsonBody, budget?: Budget, request?: RequestParts): Promise<boolean>
  /** The result of the expression, before it is taken for true or false; rejects likewise. */
  evaluate(body: JsonBody, budget?: Budget, request?: RequestParts): Promise<unknown>
  /** The value in the event at each path that the expression starts from. Never rejects. */
  look(
    body: JsonBody,
    request?: RequestParts,
  ): Promise<readonly { readonly at: string; readonly value: unknown }[]>
  /** The parsed expression. */
  readonly ast: Node
}

/**
 * Milliseconds: the second bound. On a machine that is not overloaded, the steps are used up first.
 */
const TIMEOUT = 500

/** Steps of a budget for one step of an evaluation, 1 to 2 us. JSONata looks at its limit for nested steps twice in each. */
const STEP = 40

/** Steps in each other. */
const DEEPEST = 500

class Options implements jsonata.JsonataOptions {
  readonly timeout = TIMEOUT
  readonly RegexEngine = linearRegexEngine(currentBudget)
  deepest = DEEPEST

  get stack(): number {
    currentBudget().spend(STEP)
    return this.deepest
  }

  /** Looked at for each element of a sequence. */
  get sequence(): number {
    currentBudget().spend(1)
    return 10_000
  }
}

/** Everything that is wrong with an expression, at once. */
export function expressionProblems(text: string): readonly ExpressionProblem[] {
  const parsed = parse(text, new Options())
  return 'problem' in parsed ? [parsed.problem] : problemsOf(text, parsed.expression.ast())
}

function problemsOf(text: string, ast: Node): readonly ExpressionProblem[] {
  const refused = [...hazards(text, ast)]
  return refused.length > 0 ? refused : [...staticProblems(text, ast, allBuiltins())]
}

/** The parts of the request that an expression reads; none if it cannot be parsed. */
export function partsRead(text: string): readonly string[] {
  const parsed = parse(text, new Options())
  if ('problem' in parsed) return []
  return [...new Set(requestUses(parsed.expression.ast()).map(({ part }) => part))]
}

/** Throws HG_CONFIG_JSONATA with the first problem. */
export function compileJsonata(text: string): Expression {
  const options = new Options()
  const parsed = parse(text, options)
  if ('problem' in parsed) throw unusable(parsed.problem)
  const { expression } = parsed
  const ast: Node = expression.ast()
  const [problem] = problemsOf(text, ast)
  if (problem !== undefined) throw unusable(problem)
  // The elements of a list count as if they stood in each other.
  options.deepest += longestList(ast)
  bound(expression, ast)
  // An expression that only reads gets the event itself, any other a copy.
  const inputOf = onlyReads(ast)
    ? ({ value }: JsonBody) => value
    : ({ bytes }: JsonBody): unknown => JSON.parse(bytes.toString())
  const uses = requestUses(ast)
  const bindingsOf = requestBindings(uses)
  const evaluate = (body: JsonBody, budget = new Budget(), request?: RequestParts): Promise<unknown> =>
    withRetry(() => evaluateAlone(() => expression.evaluate(inputOf(body), bindingsOf?.(request)), budget))
  // Only `explain` and `test` use it, and then for many events.
  let paths: readonly { readonly at: string; readonly read: jsonata.Expression }[] | undefined
  return {
    matches: async (body, budget, request) => isTruthy(await evaluate(body, budget, request)),
    evaluate,
    async look({ value }, request) {
      paths ??= pathsOf(ast).map((at) => ({ at, read: newExpression(at) }))
      const seen = paths.map(async ({ at, read }) => ({
        at,
        value: await evaluateAlone(() => read.evaluate(value), new Budget()).catch(
          () => '(too much to show)',
        ),
      }))
      return [...(await Promise.all(seen)), ...requestValues(uses, request)]
    },
    ast,
  }
}

/** Bounds the work within a function and the size of made values, which JSONata itself does not. */
function bound(expression: jsonata.Expression, ast: Node): void {
  const check = stepCheck(ast)
  if (check !== undefined) expression.assign(EXIT, check)
  const nodes = nodesOf(ast)
  const called = new Set(nodes.map(({ type, value }) => (type === 'variable' ? String(value) : '')))
  // A transform begins with a copy.
  if (nodes.some(({ type }) => type === 'transform')) called.add('clone')
  for (const name of called) {
    const builtin = allBuiltins().get(name)
    if (builtin !== undefined) expression.assign(name, builtin)
  }
}

let builtins: ReadonlyMap<string, Builtin> | undefined

function allBuiltins(): ReadonlyMap<string, Builtin> {
  builtins ??= new Map(
    [...builtinsOf(newExpression('$'))].map(([each, builtin]) => [each, bounded(each, builtin)]),
  )
  return builtins
}

const require = createRequire(import.meta.url)

/** The library is loaded with the first expression: most rules are regexes, and it takes 50 ms of a start. */
function newExpression(text: string, options = new Options()): jsonata.Expression {
  const compile = require('jsonata') as typeof jsonata
  return compile(text, options)
}

function parse(
  text: string,
  options: Options,
): { readonly expression: jsonata.Expression } | { readonly problem: ExpressionProblem } {
  try {
    return { expression: newExpression(text, options) }
  } catch (error) {
    return { problem: syntaxProblem(text, error) }
  }
}

const unusable = ({ message, suggestion = '' }: ExpressionProblem): HeadgateError =>
  new HeadgateError('HG_CONFIG_JSONATA', `${message} ${suggestion}`.trim())

/** As JSONata's own $boolean, which would cost another evaluation. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isTruthy)
  if (typeof value !== 'object' || value === null) return Boolean(value) && typeof value !== 'function'
  return !('_jsonata_function' in value || '_jsonata_lambda' in value) && Object.keys(value).length > 0
}

/**
 * Evaluates, and evaluates once more if that took too long by the clock. The clock also runs while the process does
 * not (a busy machine, a long collection) and when it is set: none of that is the fault of this event. Other events
 * run before the retry.
 */
export async function withRetry<Value>(evaluate: () => Promise<Value>): Promise<Value> {
  try {
    return await evaluate()
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== TOOK_TOO_LONG) throw error
    await nextTurn()
    return evaluate()
  }
}

const TOOK_TOO_LONG = 'D1012'

/** Members that jsonata's own types leave out. */
interface Parsed extends Node {
  readonly steps?: readonly Parsed[]
}

/**
 * The paths in the event that an expression looks at, as expressions of their own: `payload.region`. Only those that it
 * starts from: behind a filter or inside a step, a name means something else.
 */
export function pathsOf(ast: Node): readonly string[] {
  const paths = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const node = value as Parsed
    // Inside a function of the expression, a name need not be a path in the event.
    if (node.type === 'lambda') return
    if (node.type !== 'path') {
      for (const inner of Object.values(node)) visit(inner)
      return
    }
    const path = pathOf(node.steps ?? [])
    if (path !== '') paths.add(path)
  }
  visit(ast)
  return [...paths]
}

function pathOf(steps: readonly Parsed[]): string {
  const names: string[] = []
  for (const step of steps) {
    if (step.type !== 'name') break
    names.push(quoted(String(step.value)))
    // More than type, value and position is a filter or the like.
    if (Object.keys(step).length > 3) break
  }
  return names.join('.')
}

const OPERATOR_WORDS = new Set(['and', 'or', 'in', 'true', 'false', 'null', 'function'])

const quoted = (name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !OPERATOR_WORDS.has(name) ? name : `\`${name}\``
