import type jsonata from 'jsonata'
import { indexOf } from '../../../lib/text-search.js'
import { currentBudget, LARGEST, tooLarge, WRITE, weigh } from './jsonata-budget.js'

/** A function of JSONata, as it keeps them. */
export interface Builtin {
  readonly _jsonata_function: true
  readonly implementation: (this: unknown, ...args: never[]) => unknown
  /** `definition` is the signature as text: `<s-(sf):b>`. */
  readonly signature?: { readonly definition: string }
}

/** All that JSONata has. */
export const BUILTINS = [
  ...['sum', 'count', 'max', 'min', 'average', 'string', 'substring', 'substringBefore', 'substringAfter'],
  ...['lowercase', 'uppercase', 'length', 'trim', 'pad', 'match', 'contains', 'replace', 'split', 'join'],
  ...[
    'formatNumber',
    'formatBase',
    'formatInteger',
    'parseInteger',
    'number',
    'floor',
    'ceil',
    'round',
    'abs',
  ],
  ...[
    'sqrt',
    'power',
    'random',
    'boolean',
    'not',
    'map',
    'zip',
    'filter',
    'single',
    'reduce',
    'sift',
    'keys',
  ],
  ...['lookup', 'append', 'exists', 'spread', 'merge', 'reverse', 'each', 'error', 'assert', 'type', 'sort'],
  ...['shuffle', 'distinct', 'base64encode', 'base64decode', 'encodeUrlComponent', 'encodeUrl'],
  ...['decodeUrlComponent', 'decodeUrl', 'eval', 'toMillis', 'fromMillis', 'clone'],
] as const

/** Called behind every step of an evaluation, if it is assigned to this name. */
export const EXIT = Symbol.for('jsonata.__evaluate_exit') as unknown as string

interface Environment {
  lookup(name: string): Builtin
}

/**
 * JSONata's own functions by name. `expression` can be any: the functions are reachable only from inside an
 * evaluation.
 */
export function builtinsOf(expression: jsonata.Expression): ReadonlyMap<string, Builtin> {
  const found = new Map<string, Builtin>()
  expression.assign(EXIT, (_node: unknown, _input: unknown, environment: Environment) => {
    for (const name of BUILTINS) found.set(name, environment.lookup(name))
  })
  void expression.evaluate(undefined)
  return found
}

/** The function with its cost charged to the budget. JSONata checks its limits between functions, not within them. */
export function bounded(name: string, builtin: Builtin): Builtin {
  const original = builtin.implementation as (this: unknown, ...args: unknown[]) => unknown
  const prepare = PREPARATIONS.get(name)
  const replacement = REPLACEMENTS.get(name)
  const isMaker = MAKERS.has(name)
  const finish = (result: unknown): unknown => {
    spendOn(result)
    if (typeof result === 'string' && result.length > LARGEST) throw tooLarge()
    if (isMaker) weigh(result)
    return result
  }
  function implementation(this: unknown, ...args: unknown[]): unknown {
    for (const arg of args) spendOn(arg)
    prepare?.(...args)
    const replaced = replacement?.(...args)
    if (replaced !== undefined) return finish(replaced)
    const result = original.apply(this, args)
    return result instanceof Promise ? result.then(finish) : finish(result)
  }
  // JSONata passes as many arguments to a function as it declares.
  Object.defineProperty(implementation, 'length', { value: original.length })
  return { ...builtin, implementation }
}

function spendOn(value: unknown): void {
  if (typeof value === 'string' || Array.isArray(value)) currentBudget().spend(value.length / 4)
}

/** Their results can hold one part many times. */
const MAKERS = new Set(['map', 'each', 'zip', 'append'])

/** Steps for calling a function once: one of JSONata's own is called without a step of the evaluation. */
const CALL = 20

const spendOnCalls = (value: unknown): void => {
  const calls = Array.isArray(value) ? value.length : Object.keys(Object(value)).length
  currentBudget().spend(CALL * calls)
}

const weighList = (value: unknown): void => {
  if (Array.isArray(value)) weigh(value)
}

/** It copies its partial result for each element. */
function spendOnSpread(value: unknown): void {
  weigh(value)
  if (Array.isArray(value)) currentBudget().spend(value.length ** 2 / 32)
}

function spendOnJoin(texts: unknown, separator: unknown = ''): void {
  const list = Array.isArray(texts) ? (texts as readonly string[]) : []
  const characters = list.reduce((sum, text) => sum + text.length + String(separator).length, 0)
  if (characters > LARGEST) throw tooLarge()
}

/** They make a list of the characters. */
const spendOnCharacters = (text: unknown): void => {
  if (typeof text === 'string') currentBudget().spend(2 * text.length)
}

const PREPARATIONS = new Map<string, (...args: unknown[]) => void>([
  ...['map', 'filter', 'single', 'reduce', 'each', 'sift'].map((name) => [name, spendOnCalls] as const),
  ...['boolean', 'not', 'keys', 'lookup'].map((name) => [name, weighList] as const),
  ...['string', 'clone'].map((name) => [name, (value: unknown) => weigh(value, WRITE)] as const),
  ['merge', (value) => weigh(value)],
  ...['length', 'substring'].map((name) => [name, spendOnCharacters] as const),
  ['spread', spendOnSpread],
  ['join', spendOnJoin],
  // It compares the separators of its picture with each other.
  ['parseInteger', (_, picture) => currentBudget().spend(String(picture).length ** 2)],
])

const REPLACEMENTS = new Map<string, (...args: unknown[]) => unknown>([
  ['contains', withTexts((text, token) => indexOf(text, token) !== -1)],
  [
    'substringBefore',
    withTexts((text, token) => {
      const at = indexOf(text, token)
      return at === -1 ? text : text.slice(0, at)
    }),
  ],
  [
    'substringAfter',
    withTexts((text, token) => {
      const at = indexOf(text, token)
      return at === -1 ? text : text.slice(at + token.length)
    }),
  ],
  ['split', withTexts((text, token, limit) => (token === '' ? undefined : split(text, token, limit)))],
  [
    'replace',
    withTexts((text, token, replacement, limit) =>
      token === '' || typeof replacement !== 'string' ? undefined : replace(text, token, replacement, limit),
    ),
  ],
])

/** For two texts; anything else is left to JSONata. V8's own search takes quadratic time for long texts. */
function withTexts(
  work: (text: string, token: string, ...more: unknown[]) => unknown,
): (...args: unknown[]) => unknown {
  return (text, token, ...more) =>
    typeof text === 'string' && typeof token === 'string' ? work(text, token, ...more) : undefined
}

/** Steps for each part of a text that is taken apart; it also bounds how many there are in memory. */
const PART = 4

function split(text: string, token: string, limit: unknown): unknown {
  if (limit !== undefined && Number(limit) < 0) return undefined
  const most = limit === undefined ? Number.POSITIVE_INFINITY : Math.trunc(Number(limit))
  const parts: string[] = []
  let from = 0
  while (parts.length < most) {
    currentBudget().spend(PART)
    const at = indexOf(text, token, from)
    parts.push(at === -1 ? text.slice(from) : text.slice(from, at))
    if (at === -1) break
    from = at + token.length
  }
  return parts
}

function replace(text: string, token: string, replacement: string, limit: unknown): unknown {
  if (limit !== undefined && Number(limit) < 0) return undefined
  const most = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit)
  let result = ''
  let from = 0
  for (let count = 0; count < most; count++) {
    currentBudget().spend(PART)
    const at = indexOf(text, token, from)
    if (at === -1) break
    result += text.slice(from, at) + replacement
    if (result.length > LARGEST) throw tooLarge()
    from = at + token.length
  }
  return result + text.slice(from)
}
