import { Decimal } from '../../../lib/json/decimal.js'
import { show } from '../../../lib/json/exact-numbers.js'
import type { CountKeyword, Limit, Node, Pattern } from './node.js'
import type { Work } from './work.js'

const MAX_LISTED = 10
/** Characters of a text that a regex reads for one step: some ten million in a second. */
const CHARACTERS_PER_STEP = 4
/** Of other things, in steps. */
const DECIMAL = 20
const FORMAT = 4
const REGEX = 15

export type Kind = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'

export function kindOf(value: unknown): Kind {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Decimal) return 'number'
  return typeof value as Kind
}

/**
 * Whether a value fulfils the keywords of a schema that concern only the value itself. `complain` is called for each that it
 * does not; without it, the first one ends the search.
 */
export function isAsserted(
  node: Node,
  value: unknown,
  kind: Kind,
  work: Work,
  complain: ((message: () => string) => void) | undefined,
): boolean {
  let fits = true
  const wrong = (message: () => string): boolean => {
    fits = false
    complain?.(message)
    return complain === undefined
  }
  const { types, const: only, enum: list, pattern, format } = node
  if (types !== undefined && !types.some((type) => isOfType(type, value, kind))) {
    if (wrong(() => `must be ${types.join(' or ')}`)) return false
  }
  if (only !== undefined && !isOneOf(only, value, work)) {
    if (wrong(() => `must be ${show(only[0])}`)) return false
  }
  if (list !== undefined && !isOneOf(list, value, work)) {
    if (wrong(() => `must be ${listed(list)}`)) return false
  }
  for (const { keyword, value: limit } of kind === 'number' ? (node.limits ?? []) : []) {
    if (isWithin(keyword, value as number | Decimal, limit, work)) continue
    if (wrong(() => `must be ${SIGNS[keyword]} ${show(limit)}`)) return false
  }
  const { multipleOf } = node
  if (kind === 'number' && multipleOf !== undefined && !isMultiple(value as number, multipleOf, work)) {
    if (wrong(() => `must be multiple of ${show(multipleOf)}`)) return false
  }
  for (const { keyword, value: limit } of node.counts ?? []) {
    if (hasCount(keyword, limit, value, kind, work)) continue
    if (wrong(() => countComplaint(keyword, limit))) return false
  }
  if (kind === 'string' && pattern !== undefined && !matches(pattern, value as string, work)) {
    if (wrong(() => `must match pattern ${JSON.stringify(pattern.text)}`)) return false
  }
  if (kind === 'string' && format !== undefined && !hasFormat(format, value as string, work)) {
    if (wrong(() => `must match format ${JSON.stringify(format.name)}`)) return false
  }
  if (kind === 'array' && node.uniqueItems) {
    const equal = equalItems(value as unknown[], work)
    if (equal !== undefined) wrong(() => `must not have equal items (${equal.join(' and ')} are)`)
  }
  return fits
}

const isOfType = (type: string, value: unknown, kind: Kind): boolean =>
  type === kind ||
  (type === 'integer' &&
    kind === 'number' &&
    (value instanceof Decimal ? value.isInteger : Number.isInteger(value)))

interface Values {
  readonly hasDecimals: boolean
  readonly plain: ReadonlySet<unknown>
  readonly texts: ReadonlySet<string>
}

/** A schema's own values, which are the same for every event. */
const valuesOfSchemas = new WeakMap<readonly unknown[], Values>()

export function isOneOf(list: readonly unknown[], value: unknown, work: Work): boolean {
  let values = valuesOfSchemas.get(list)
  if (values === undefined) {
    const isPlain = (one: unknown) => typeof one !== 'object' || one === null
    values = {
      hasDecimals: list.some((one) => one instanceof Decimal),
      plain: new Set(list.filter(isPlain)),
      texts: new Set(list.map((one) => canonical(one, work))),
    }
    valuesOfSchemas.set(list, values)
  }
  const hasText = typeof value === 'number' ? values.hasDecimals : typeof value === 'object' && value !== null
  return hasText ? values.texts.has(canonical(value, work)) : values.plain.has(value)
}

const SIGNS = { minimum: '>=', maximum: '<=', exclusiveMinimum: '>', exclusiveMaximum: '<' } as const

export function isWithin(
  keyword: Limit,
  value: number | Decimal,
  limit: number | Decimal,
  work: Work,
): boolean {
  const order =
    typeof value === 'number' && typeof limit === 'number' ? value - limit : compare(value, limit, work)
  switch (keyword) {
    case 'minimum':
      return order >= 0
    case 'maximum':
      return order <= 0
    case 'exclusiveMinimum':
      return order > 0
    case 'exclusiveMaximum':
      return order < 0
  }
}

function compare(value: number | Decimal, limit: number | Decimal, work: Work): number {
  const exact = Decimal.of(value)
  work.spend(DECIMAL + exact.digits.length / CHARACTERS_PER_STEP)
  return exact.compare(Decimal.of(limit))
}

/** Exact: 19.99 is a multiple of 0.01, whatever the division of two doubles says. */
export function isMultiple(value: number | Decimal, divisor: number | Decimal, work: Work): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor))
    return (value as number) % (divisor as number) === 0
  const exact = Decimal.of(value)
  work.spend(DECIMAL + exact.digits.length)
  return exact.isMultipleOf(Decimal.of(divisor))
}

export function hasFormat({ test }: NonNullable<Node['format']>, text: string, work: Work): boolean {
  work.spend(FORMAT + text.length / CHARACTERS_PER_STEP)
  return test(text)
}

export function matches({ regex }: Pattern, text: string, work: Work): boolean {
  work.spend(REGEX)
  return regex.test(text, work)
}

export function hasCount(
  keyword: CountKeyword,
  limit: number,
  value: unknown,
  kind: Kind,
  work: Work,
): boolean {
  const isMinimum = keyword.startsWith('min')
  if (keyword.endsWith('Length')) {
    if (kind !== 'string') return true
    const text = value as string
    // A character is one unit or two.
    if (isMinimum ? text.length < limit : text.length > 2 * limit) return false
    if (isMinimum ? text.length >= 2 * limit : text.length <= limit) return true
    work.spend(text.length / CHARACTERS_PER_STEP)
    return isMinimum ? codePoints(text) >= limit : codePoints(text) <= limit
  }
  const isItems = keyword.endsWith('Items')
  if (kind !== (isItems ? 'array' : 'object')) return true
  const count = isItems ? (value as unknown[]).length : Object.keys(value as object).length
  if (!isItems) work.spend(count / CHARACTERS_PER_STEP)
  return isMinimum ? count >= limit : count <= limit
}

function countComplaint(keyword: CountKeyword, limit: number): string {
  const counted = keyword.endsWith('Length') ? 'characters' : keyword.slice(3).toLowerCase()
  return `must not have ${keyword.startsWith('min') ? 'fewer' : 'more'} than ${limit} ${counted}`
}

function codePoints(text: string): number {
  let count = text.length
  for (let at = 0; at < text.length - 1; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0xd800 || unit > 0xdbff) continue
    const next = text.charCodeAt(at + 1)
    if (next >= 0xdc00 && next <= 0xdfff) {
      count--
      at++
    }
  }
  return count
}

function listed(allowed: readonly unknown[]): string {
  const shown = allowed.slice(0, MAX_LISTED).map(show)
  if (allowed.length > MAX_LISTED) shown.push(`${allowed.length - MAX_LISTED} more`)
  return shown.length === 1 ? String(shown[0]) : `one of ${shown.join(', ')}`
}

const VALUE = 10
/** Characters of a text that is quoted. */
const QUOTED_PER_STEP = 8

/** Two values have the same text if and only if JSON Schema calls them equal: the order of members means nothing. */
export function canonical(value: unknown, work: Work): string {
  work.spend(VALUE)
  if (typeof value === 'string') {
    work.spend(value.length / QUOTED_PER_STEP)
    return JSON.stringify(value)
  }
  if (typeof value === 'number') return value === 0 ? '0' : String(value)
  if (value instanceof Decimal) return decimalText(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, work)).join()}]`
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(key)}:${canonical(member, work)}`,
  )
  return `{${members.sort().join()}}`
}

/** 1.0000000000000000 is 1, and that is a double. */
function decimalText(value: Decimal): string {
  const double = Number(value.text)
  return Number.isFinite(double) && Decimal.of(double).compare(value) === 0 ? String(double || 0) : value.text
}

/** The indexes of the first two equal items. */
export function equalItems(items: readonly unknown[], work: Work): readonly [number, number] | undefined {
  const seen = new Map<string, number>()
  for (const [index, item] of items.entries()) {
    const text = canonical(item, work)
    const first = seen.get(text)
    if (first !== undefined) return [first, index]
    seen.set(text, index)
  }
  return undefined
}
