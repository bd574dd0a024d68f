import { HeadgateError } from '../../../contract/errors.js'
import { type ExpressionProblem, slipAt } from './jsonata-slips.js'

/** What JSONata throws: not an Error, and `message` often quotes `value` and `value2`. */
interface Thrown {
  readonly code: string
  readonly message: string
  readonly position?: number
  readonly value?: unknown
  readonly value2?: unknown
}

const isThrown = (error: unknown): error is Thrown =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  'message' in error &&
  typeof error.message === 'string'

/** Why an expression cannot be parsed. */
export function syntaxProblem(text: string, error: unknown): ExpressionProblem {
  const message = error instanceof Error || isThrown(error) ? error.message : String(error)
  const { position, token } = error as { readonly position?: number; readonly token?: unknown }
  const said = `${message.replace(/\.$/, '')}${place(error)}.`
  if (position === undefined) return { message: said, from: 0, to: text.length }
  const to = Math.min(position, text.length)
  const length =
    typeof token === 'string' && text.slice(0, to).endsWith(token) ? Math.max(1, token.length) : 1
  const from = Math.max(0, to - length)
  // At the end there is nothing to point at but the place behind it.
  if (token === '(end)') return { message: said, from: text.length, to: text.length + 1 }
  const open = /quote/.test(message) ? /["'`][^"'`]*$/.exec(text) : null
  if (open !== null) return { message: said, from: open.index, to: text.length }
  return slipAt(text, from, to) ?? { message: said, from, to }
}

/** An expression that failed on an event; the message holds none of its values. */
export function evaluationError(rule: string, error: unknown): HeadgateError {
  if (error instanceof HeadgateError) return tooCostly(rule, error)
  if (isThrown(error) && error.code === 'D1012') return tooCostly(rule, TOOK_TOO_LONG)
  const reason = isThrown(error) ? (LIMITS.get(error.code) ?? withoutValues(error)) : nameOf(error)
  return new HeadgateError(
    'HG_ROUTE_EXPRESSION',
    `The expression of the rule "${rule}" failed: ${reason}${place(error)}.`,
    { rule },
  )
}

const TOOK_TOO_LONG = new HeadgateError(
  'HG_EVENT_TOO_COSTLY',
  'The expression took too long on this event, also when it was evaluated again.',
)

/** A regex or an expression that has used up its budget; with the name of the rule. */
const tooCostly = (rule: string, { code, message }: HeadgateError): HeadgateError =>
  new HeadgateError(code, `The rule "${rule}" cannot be decided. ${message}`, { rule })

const LIMITS = new Map([
  ['D1011', 'it recurses too deeply'],
  ['D2015', 'it made too long a sequence'],
])

function withoutValues({ code, message, value, value2 }: Thrown): string {
  const quoted = [value, value2].filter((each) => each !== undefined).map((each) => JSON.stringify(each))
  const told = quoted.reduce((text, quote) => text.replaceAll(quote, '...'), message)
  return `${told.replace(/\.$/, '')} (${code})`
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'an unknown error')

const place = (error: unknown): string =>
  isThrown(error) && error.position !== undefined ? ` at position ${error.position}` : ''
