import { Decimal } from './decimal.js'
import type { Work } from './work.js'

const VALUE = 10
const CHARACTERS_PER_STEP = 8

/** Two values have the same text if and only if JSON Schema calls them equal: the order of members means nothing. */
export function canonical(value: unknown, work: Work): string {
  work.spend(VALUE)
  if (typeof value === 'string') {
    work.spend(value.length / CHARACTERS_PER_STEP)
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

/** The places of the first two equal items. */
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
