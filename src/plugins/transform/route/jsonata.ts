import { createRequire } from 'node:module'
import type jsonata from 'jsonata'
import { HeadgateError } from '../../../contract/errors.js'
import type { JsonBody } from '../../../contract/index.js'
import { Budget } from '../../../lib/budget.js'
import { currentBudget, evaluateAlone } from './jsonata-budget.js'
import { type Builtin, bounded, builtinsOf, EXIT } from './jsonata-builtins.js'
import { staticProblems } from './jsonata-check.js'
import { syntaxProblem } from './jsonata-error.js'
import { longestList, stepCheck } from './jsonata-makers.js'
import { placesOf } from './jsonata-places.js'
import { linearRegexEngine } from './jsonata-regex.js'
import { withSecondTry } from './jsonata-second-try.js'
import type { ExpressionProblem } from './jsonata-slips.js'
import { hazards, type Node, nodesOf, onlyReads } from './jsonata-syntax.js'

export interface Expression {
  /** Whether the event matches. Rejects with whatever JSONata throws; `evaluationError` makes sense of it. */
  matches(body: JsonBody, budget?: Budget): Promise<boolean>
  /** What the expression comes to, before it is made true or false; rejects likewise. */
  evaluate(body: JsonBody, budget?: Budget): Promise<unknown>
  /** What stands in the event at each place that the expression starts from. Never rejects. */
  look(body: JsonBody): Promise<readonly { readonly at: string; readonly value: unknown }[]>
  /** What it was parsed to. */
  readonly ast: Node
}

/**
 * Milliseconds, for what is not counted in steps. On a machine that is not overloaded, the steps are used up first.
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

/** What is wrong with an expression, all of it at once. */
export function expressionProblems(text: string): readonly ExpressionProblem[] {
  const parsed = parse(text, new Options())
  return 'problem' in parsed ? [parsed.problem] : problemsOf(text, parsed.expression.ast())
}

function problemsOf(text: string, ast: Node): readonly ExpressionProblem[] {
  const refused = [...hazards(text, ast)]
  return refused.length > 0 ? refused : [...staticProblems(text, ast, allBuiltins())]
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
  // The event itself for what only reads it, for anything else a copy of its own.
  const inputOf = onlyReads(ast)
    ? ({ value }: JsonBody) => value
    : ({ bytes }: JsonBody): unknown => JSON.parse(bytes.toString())
  const evaluate = (body: JsonBody, budget = new Budget()): Promise<unknown> =>
    withSecondTry(() => evaluateAlone(() => expression.evaluate(inputOf(body)), budget))
  // Only asked for by people, and then for many events.
  let places: readonly { readonly at: string; readonly read: jsonata.Expression }[] | undefined
  return {
    matches: async (body, budget) => isTruthy(await evaluate(body, budget)),
    evaluate,
    look({ value }) {
      places ??= placesOf(ast).map((at) => ({ at, read: newExpression(at) }))
      const seen = places.map(async ({ at, read }) => ({
        at,
        value: await evaluateAlone(() => read.evaluate(value), new Budget()).catch(
          () => '(too much to show)',
        ),
      }))
      return Promise.all(seen)
    },
    ast,
  }
}

/** Bounds what JSONata itself does not: the work within a function, and the size of what is made. */
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

/** As JSONata's own $boolean, which can only be had for the price of another evaluation. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isTruthy)
  if (typeof value !== 'object' || value === null) return Boolean(value) && typeof value !== 'function'
  return !('_jsonata_function' in value || '_jsonata_lambda' in value) && Object.keys(value).length > 0
}
