import { pointer } from '../../../lib/json/pointer.js'
import { textOf } from './condition.js'
import { implies, isContradictory, type Term } from './formula.js'
import type { Facts } from './lint.js'
import { possibleValues } from './schema-values.js'

/**
 * Why a rule can never match; undefined where it may. Only what is certain counts: that two regular expressions in
 * different words say the same cannot always be told.
 */
export function neverMatches(
  rule: Facts,
  above: readonly Facts[],
  ensured: readonly unknown[],
): string | undefined {
  const { terms } = rule
  if (terms === undefined) return undefined
  const possible = terms.filter((term) => !isContradictory(term))
  if (possible.length === 0) return 'its condition contradicts itself'
  const refused = refusedBySchema(rule, possible, ensured)
  if (refused !== undefined) return refused
  const covering = new Set<Facts>()
  for (const term of possible) {
    const earlier = above.find(({ formula }) => implies(term, formula))
    if (earlier === undefined) return undefined
    covering.add(earlier)
  }
  const names = [...covering].map(({ name }) => `"${name}"`)
  const [only] = covering
  if (only !== undefined && names.length === 1 && implies([], only.formula))
    return `the rule ${names[0]} above it always matches`
  return names.length === 1
    ? `the rule ${names[0]} above it matches whatever this one matches`
    : `the rules ${names.join(', ')} above it together match whatever this one matches`
}

const BEFORE = 'which the JSON Schema of an earlier stage lets pass'

function refusedBySchema(
  { when, condition }: Facts,
  terms: readonly Term[],
  ensured: readonly unknown[],
): string | undefined {
  const values = when.at === undefined ? undefined : possibleValues(ensured, when.at)
  if (values !== undefined && condition.regex !== undefined) {
    const matches = values.some((value) => condition.regex?.test(textOf(value) ?? ''))
    if (!matches) return `there is no value at ${when.at} that its regex matches and ${BEFORE}`
  }
  const refused = terms.map((term) => refusedPlace(term, ensured))
  return refused.every((place) => place !== undefined)
    ? `there is no such value at ${[...new Set(refused)].join(', ')} ${BEFORE}`
    : undefined
}

/** The place that a term compares with what cannot stand there. JSONata takes a list of one for its element. */
function refusedPlace(term: Term, ensured: readonly unknown[]): string | undefined {
  for (const atom of term) {
    if (atom.kind !== 'equals' || pointer(atom.place).tokens.length === 0) continue
    const values = possibleValues(ensured, atom.place, true)
    const isKnown = values?.every((value) => typeof value !== 'object' || value === null)
    if (isKnown && !values?.some((value) => value === JSON.parse(atom.value))) return atom.place
  }
  return undefined
}
