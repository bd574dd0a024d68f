import type { JsonBody, JsonPointer } from '../../../contract/index.js'
import { Budget } from '../../../lib/budget.js'
import { compactText } from '../../../lib/json/exact-numbers.js'
import { pointer } from '../../../lib/json/pointer.js'
import { compileRegex, type Regex } from '../../../lib/regex.js'
import { type Answer, answerTo } from './answer.js'
import type { Formula } from './formula.js'
import { jsonataFormula } from './formulas.js'
import { compileJsonata, type Expression } from './jsonata.js'
import type { When } from './settings.js'

/** A `when`, compiled. */
export interface Condition {
  readonly when: When
  readonly regex: Regex | undefined
  /** What the regex looks at; the payload where absent. */
  readonly at: JsonPointer | undefined
  readonly expression: Expression | undefined
  /** What the expression asks, and its answer where that can be had without evaluating it. */
  readonly formula: Formula | undefined
  readonly answer: Answer | undefined
}

/** An event as rules look at it. */
export interface Subject {
  readonly body: JsonBody
  /** Of the rule that is tried. */
  readonly budget: Budget
  /** The payload as compact JSON. */
  payloadText(): string
}

/** Reads what it is asked for once, and only then. */
export function subjectOf(body: JsonBody, payload: JsonPointer): Subject {
  let text: string | undefined
  return {
    body,
    budget: new Budget(),
    payloadText() {
      text ??= compactText(body, payload) ?? ''
      return text
    },
  }
}

/** Regexes in use, by pattern and flags. */
const inUse = new Map<string, WeakRef<Regex>>()
const collected = new FinalizationRegistry<string>((key) => {
  if (inUse.get(key)?.deref() === undefined) inUse.delete(key)
})

/** Compiles a regex, unless a rule that runs has the same: a reload after an edit compiles only what is new. */
export function sharedRegex(pattern: string, flags = ''): Regex {
  const key = `${flags}/${pattern}`
  const known = inUse.get(key)?.deref()
  if (known !== undefined) return known
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
  const formula = expression === undefined ? undefined : jsonataFormula(expression.ast, jsonata ?? '')
  return {
    when,
    regex: compiled,
    at: at === undefined ? undefined : pointer(at),
    expression,
    formula,
    answer: formula === undefined ? undefined : answerTo(formula),
  }
}

/**
 * Whether the event matches; a promise only where an expression has to be evaluated, which rejects as that does. Throws
 * HG_EVENT_TOO_COSTLY.
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
  return condition.answer?.(subject.body) ?? expression.matches(subject.body, budget)
}

/** What a regex looks at; undefined where there is nothing. */
export const regexText = (at: JsonPointer | undefined, { body, payloadText }: Subject): string | undefined =>
  at === undefined ? payloadText() : textAt(body, at)

/** What a regex sees of a value: text as it is, a number as it was sent, anything else as compact JSON. */
export function textAt(body: JsonBody, at: JsonPointer): string | undefined {
  const value = at.read(body.value)
  if (typeof value === 'string') return value
  return typeof value === 'number' ? body.slice(at)?.toString('latin1') : compactText(body, at)
}

/** The same for a value that nobody sent. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : JSON.stringify(value)
