import { createRequire } from 'node:module'
import type jsonata from 'jsonata'
import type { JsonBody } from '../../../plugin.js'
import { syntaxError } from './jsonata-error.js'
import { placesOf } from './jsonata-places.js'
import { linearRegexEngine } from './jsonata-regex.js'
import { withSecondTry } from './jsonata-second-try.js'
import { type Node, onlyReads, refuseHazards } from './jsonata-syntax.js'

export interface Expression {
  /** Whether the event matches. Rejects with whatever JSONata throws; `evaluationError` makes sense of it. */
  matches(body: JsonBody): Promise<boolean>
  /** What the expression comes to, before it is made true or false; rejects likewise. */
  evaluate(body: JsonBody): Promise<unknown>
  /** What stands in the event at each place that the expression starts from. Never rejects. */
  look(body: JsonBody): Promise<readonly { readonly at: string; readonly value: unknown }[]>
  /** What it was parsed to. */
  readonly ast: Node
}

/**
 * Milliseconds. A simple predicate takes some thousandths of one; JSONata does not yield, so twice this is how long one event
 * can hold up all others.
 */
const TIMEOUT = 250

const OPTIONS: jsonata.JsonataOptions = {
  timeout: TIMEOUT,
  stack: 500,
  sequence: 10_000,
  RegexEngine: linearRegexEngine(TIMEOUT),
}

/** Throws HG_CONFIG_JSONATA with the position. */
export function compileJsonata(text: string): Expression {
  const expression = parse(text)
  const ast: Node = expression.ast()
  refuseHazards(ast)
  // The event itself for what only reads it, for anything else a copy of its own.
  const inputOf = onlyReads(ast)
    ? ({ value }: JsonBody) => value
    : ({ bytes }: JsonBody): unknown => JSON.parse(bytes.toString())
  const evaluate = (body: JsonBody): Promise<unknown> =>
    withSecondTry(() => expression.evaluate(inputOf(body)))
  // Only asked for by people, and then for many events.
  let places: readonly { readonly at: string; readonly read: jsonata.Expression }[] | undefined
  return {
    matches: async (body) => isTruthy(await evaluate(body)),
    evaluate,
    look({ value }) {
      places ??= placesOf(ast).map((at) => ({ at, read: newExpression(at) }))
      const seen = places.map(async ({ at, read }) => ({
        at,
        value: await read.evaluate(value).catch(() => '(too much to show)'),
      }))
      return Promise.all(seen)
    },
    ast,
  }
}

const require = createRequire(import.meta.url)

/** The library is loaded with the first expression: most rules are regexes, and it takes 50 ms of a start. */
function newExpression(text: string): jsonata.Expression {
  const compile = require('jsonata') as typeof jsonata
  return compile(text, OPTIONS)
}

function parse(text: string): jsonata.Expression {
  try {
    return newExpression(text)
  } catch (error) {
    throw syntaxError(error)
  }
}

/** As JSONata's own $boolean, which can only be had for the price of another evaluation. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isTruthy)
  if (typeof value !== 'object' || value === null) return Boolean(value) && typeof value !== 'function'
  return !('_jsonata_function' in value || '_jsonata_lambda' in value) && Object.keys(value).length > 0
}
