import type { Event, JsonBody, JsonPointer } from '../../../contract/index.js'
import { Budget } from '../../../lib/budget.js'
import { Decimal } from '../../../lib/json/decimal.js'
import { compactText } from '../../../lib/json/exact-numbers.js'
import { type Locator, locator, requestPart } from '../../../lib/locator.js'
import { compileRegex, type Regex } from '../../../lib/regex.js'
import { compileJsonata, type Expression } from './jsonata.js'
import type { Predicate } from './predicate.js'
import type { When } from './settings.js'
import { jsonataPredicate } from './to-predicate.js'

/** A `when`, compiled. */
export interface Condition {
  readonly when: When
  readonly regex: Regex | undefined
  /** The value that the regex looks at; the payload if absent. */
  readonly at: Locator | undefined
  readonly expression: Expression | undefined
  /** The expression as a predicate, and the shortcut past its evaluation. */
  readonly predicate: Predicate | undefined
  readonly shortcut: Shortcut | undefined
}

/** The parts of an event that rules look at. */
export type Looked = Pick<Event, 'body' | 'request'>

/** An event as rules look at it. */
export interface Subject extends Looked {
  /** Of the rule that is being evaluated. */
  readonly budget: Budget
  /** The payload as compact JSON. */
  payloadText(): string
}

/** Reads lazily, and each text once. */
export function subjectOf({ body, request }: Looked, payload: JsonPointer): Subject {
  let text: string | undefined
  const budget = new Budget()
  const payloadText = () => {
    text ??= compactText(body, payload) ?? ''
    return text
  }
  return request === undefined ? { body, budget, payloadText } : { body, request, budget, payloadText }
}

/** Regexes in use, by pattern and flags. */
const inUse = new Map<string, WeakRef<Regex>>()
const collected = new FinalizationRegistry<string>((key) => {
  if (inUse.get(key)?.deref() === undefined) inUse.delete(key)
})

/** Compiles a regex, unless an active rule has the same one: a reload after an edit compiles only the new ones. */
export function sharedRegex(pattern: string, flags = ''): Regex {
  const key = `${flags}/${pattern}`
  const existing = inUse.get(key)?.deref()
  if (existing !== undefined) return existing
  const regex = compileRegex(pattern, flags)
  inUse.set(key, new WeakRef(regex))
  collected.register(regex, key)
  return regex
}

/** Throws HG_CONFIG_REGEX or HG_CONFIG_JSONATA. */
export function compileCondition(when: When): Condition {
  const { regex, at, flags, jsonata } = when
  const compiled = regex === undefined ? undefined : sharedRegex(regex, flags)
  const expression = jsonata === undefined ? undefined : compileJsonata(jsonata)
  const predicate = expression === undefined ? undefined : jsonataPredicate(expression.ast, jsonata ?? '')
  return {
    when,
    regex: compiled,
    at: at === undefined ? undefined : locator(at),
    expression,
    predicate,
    shortcut: predicate === undefined ? undefined : shortcutOf(predicate),
  }
}

/**
 * Whether the event matches. Returns a promise only if an expression has to be evaluated, which rejects as that does.
 * Throws HG_EVENT_TOO_COSTLY.
 */
export function matches(condition: Condition, subject: Subject): boolean | Promise<boolean> {
  const { regex, expression } = condition
  const { budget } = subject
  budget.renew()
  if (regex !== undefined) {
    const text = regexText(condition.at, subject)
    if (text === undefined || !regex.test(text, budget)) return false
  }
  if (expression === undefined) return true
  return condition.shortcut?.(subject) ?? expression.matches(subject.body, budget, subject.request)
}

/** The text that a regex looks at; undefined if there is none. */
export const regexText = (at: Locator | undefined, subject: Subject): string | undefined =>
  at === undefined ? subject.payloadText() : locatedText(subject, at)

/** The text at a place in an event, as a regex sees it. */
export const locatedText = ({ body, request }: Looked, at: Locator): string | undefined =>
  at.kind === 'body' ? textAt(body, at.pointer) : requestPart(at, request)

/** A value as a regex sees it: text as it is, a number as it was sent, anything else as compact JSON. */
export function textAt(body: JsonBody, at: JsonPointer): string | undefined {
  const value = at.read(body.value)
  if (typeof value === 'string') return value
  return typeof value === 'number' ? body.slice(at)?.toString('latin1') : compactText(body, at)
}

/** The same for a value that Headgate made. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : JSON.stringify(value)

/** True if a condition holds for an event; undefined if only an evaluation can decide. */
export type Shortcut = (event: Looked) => boolean | undefined

/**
 * Decides conditions that compare paths with literals, without an evaluation. In the order of JSONata: it stops when
 * that would, and leaves to it everything that could fail.
 */
export function shortcutOf(predicate: Predicate): Shortcut {
  switch (predicate.kind) {
    case 'equals':
    case 'differs': {
      const at = locator(predicate.path)
      const find = finder(at)
      const literal: unknown = JSON.parse(predicate.value)
      const number = typeof literal === 'number' ? Decimal.parse(predicate.value).text : undefined
      const ifEqual = predicate.kind === 'equals'
      return (event) => {
        const found = find(event)
        if (found === MANY) return undefined
        // Different numbers can be one double.
        const isEqual = found === literal && (number === undefined || sentNumber(event.body, at) === number)
        return found !== undefined && isEqual === ifEqual
      }
    }
    case 'and':
      return first(predicate.parts.map(shortcutOf), false)
    case 'or':
      return first(predicate.parts.map(shortcutOf), true)
    default:
      return () => undefined
  }
}

/** Parts of the request are never numbers. */
const sentNumber = (body: JsonBody, at: Locator): string =>
  at.kind === 'body' ? Decimal.parse(body.slice(at.pointer)?.toString('latin1') ?? '').text : ''

/** The first result that is `deciding` or unknown; the other one if there is none. */
const first =
  (shortcuts: readonly Shortcut[], deciding: boolean): Shortcut =>
  (event) => {
    for (const shortcut of shortcuts) {
      const result = shortcut(event)
      if (result !== !deciding) return result
    }
    return !deciding
  }

/** An array on the path or at its end: then only JSONata can resolve the path. */
export const MANY = Symbol('many')

/** Compiles the function that finds the value at the path of a predicate, as JSONata does. */
export const finder = (at: Locator): ((event: Looked) => unknown) =>
  at.kind === 'body'
    ? ({ body }) => valueAt(body.value, at.pointer.tokens)
    : ({ request }) => requestPart(at, request)

/** The value that a JSONata path of names finds; undefined if there is none. */
function valueAt(root: unknown, names: readonly string[]): unknown {
  let value = root
  for (const name of names) {
    if (Array.isArray(value)) return MANY
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name) || isCallable(value))
      return undefined
    value = (value as { [name: string]: unknown })[name]
  }
  return Array.isArray(value) ? MANY : value
}

/** JSONata treats an object with such a member as a function, and finds no members in it. */
const isCallable = (value: { _jsonata_function?: unknown; _jsonata_lambda?: unknown }): boolean =>
  value._jsonata_function === true || value._jsonata_lambda === true
