import { distance } from 'fastest-levenshtein'
import { HeadgateError } from '../../../contract/errors.js'

/** The errors of JSONata are no Errors, and `message` often quotes `value` and `value2`. */
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
  const said = `${message.replace(/\.$/, '')}${positionText(error)}.`
  if (position === undefined) return { message: said, from: 0, to: text.length }
  const to = Math.min(position, text.length)
  const length =
    typeof token === 'string' && text.slice(0, to).endsWith(token) ? Math.max(1, token.length) : 1
  const from = Math.max(0, to - length)
  // At the end, only the position behind it can be pointed at.
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
    `The expression of the rule "${rule}" failed: ${reason}${positionText(error)}.`,
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
  try {
    const quoted = [value, value2].filter((each) => each !== undefined).map((each) => JSON.stringify(each))
    const told = quoted.reduce((text, quote) => text.replaceAll(quote, '...'), message)
    return `${told.replace(/\.$/, '')} (${code})`
  } catch {
    // A transform operator can put a value into itself: it has no JSON that could be found in the message.
    return `a value contains itself (${code})`
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'an unknown error')

const positionText = (error: unknown): string =>
  isThrown(error) && error.position !== undefined ? ` at position ${error.position}` : ''

/** Something wrong with an expression: the characters from `from` to `to` of its text. */
export interface ExpressionProblem {
  /** Sentences. */
  readonly message: string
  readonly suggestion?: string
  readonly from: number
  readonly to: number
}

/** Operators of other languages, with JSONata's own. */
const SLIPS: readonly (readonly [RegExp, string, string])[] = [
  [/!==/g, 'JSONata has no "!==".', 'Write "!=".'],
  [/={2,3}/g, 'JSONata compares with one "=".', 'Write "=" in place of "==".'],
  [/&&/g, 'JSONata has no "&&".', 'Write "and".'],
  [/\|\|/g, 'JSONata has no "||".', 'Write "or".'],
  [/<>/g, 'JSONata has no "<>".', 'Write "!=".'],
  [/!(?!=)/g, 'JSONata has no "!" for "not".', 'Write $not(...), or "!=".'],
  [
    /=?~(?!>)|\b(?:like|matches|contains|startswith|endswith)\b/gi,
    'JSONata has no such operator.',
    'For a part of a text, write $contains(payload.region, "eu") or $contains(payload.region, /^eu-/).',
  ],
  [/\b(?:AND|OR|IN)\b/g, 'Operators are written in lower case.', 'Write "and", "or", "in".'],
  [/\bnot\s+in\b/gi, 'JSONata has no "not in".', 'Write $not(payload.region in ["eu", "us"]).'],
  [/\bnot\b/gi, 'JSONata has no operator "not".', 'Write $not(...), or "!=".'],
  [
    /\bis\s+(?:not\s+)?null\b/gi,
    'JSONata has no "is".',
    'Write "= null" or "!= null"; $exists(...) says whether something is there.',
  ],
  [/\b(?:is|eq|equals|ne)\b/gi, 'JSONata has no such operator.', 'Write "=" or "!=".'],
  [/\bif\s*\([^)]*\)\s*\S+/g, 'JSONata has no "if".', 'Write condition ? then : otherwise.'],
  [/(?<![\d\w])\.\d+/g, 'A number begins with a digit.', 'Write 0.5 in place of .5.'],
  [/(?<!\w)0\d+/g, 'A number has no zeros in front.', 'Write 5 in place of 05, or "05" for text.'],
  [/;/g, 'A ";" only stands between expressions in parentheses.', 'Leave it out.'],
]

/** The common mistake at a position of an expression that is no JSONata; undefined if it is none of them. */
export function slipAt(text: string, from: number, to: number): ExpressionProblem | undefined {
  for (const [pattern, message, suggestion] of SLIPS) {
    for (const match of text.matchAll(pattern)) {
      const end = match.index + match[0].length
      // The word before the one that the parser stumbles over may be it: "not a".
      if (match.index <= to && end >= from - 1) return { message, suggestion, from: match.index, to: end }
    }
  }
  return undefined
}

/** The name that was probably meant. */
export function closestMatch(name: string, names: readonly string[]): string | undefined {
  const far = (other: string) => distance(name.toLowerCase(), other.toLowerCase())
  const [best] = [...names].sort((a, b) => far(a) - far(b))
  return best !== undefined && far(best) <= Math.max(1, Math.floor(name.length / 4)) ? best : undefined
}
