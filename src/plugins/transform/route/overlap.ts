import { isDeepStrictEqual } from 'node:util'
import type { LintFinding } from '../../../contract/index.js'
import { implies, type Term } from './formula.js'
import type { Facts } from './lint.js'
import { placeOf } from './regex-formula.js'
import type { When } from './settings.js'

/**
 * A rule and one above it that look at the same single place, go to different targets, and both match a value that can be
 * shown. A special case above the general one is how rules are meant to stand, and conditions on different places
 * nearly always can hold at once: neither is reported.
 */
export function overlap(rule: Facts, above: readonly Facts[]): LintFinding[] {
  for (const earlier of above) {
    const value =
      rule.place !== '' && rule.place === earlier.place
        ? jointText(earlier, rule)
        : rule.values.find((value) => earlier.values.includes(value))
    if (value === undefined || isDeepStrictEqual(earlier.to, rule.to) || isSpecialCase(earlier, rule))
      continue
    return [
      {
        at: `/rules/${rule.index}/name`,
        name: 'rules-overlap',
        message: `The rules "${earlier.name}" and "${rule.name}" both match ${value}; "${earlier.name}" stands first and decides.`,
        suggestion: 'Make one of them narrower, so that their order does not matter.',
      },
    ]
  }
  return []
}

const isSpecialCase = ({ terms }: Facts, { formula }: Facts): boolean =>
  terms?.every((term) => implies(term, formula)) ?? false

/** A text that the regexes of both rules match at one place, made of the words in them. */
function jointText(a: Facts, b: Facts): string | undefined {
  const isExact = [a, b].some(
    ({ words }) => words.length > 0 && words.every(({ start, end }) => start && end),
  )
  // Where one of them matches whole words only, there is no other candidate than those.
  const joined = isExact
    ? []
    : a.words.flatMap(({ literal }) =>
        b.words.flatMap((other) => [literal + other.literal, other.literal + literal]),
      )
  const candidates = [...[...a.words, ...b.words].map(({ literal }) => literal), ...joined]
  const text = candidates.find((literal) => matches(a, literal) && matches(b, literal))
  return text === undefined ? undefined : `${JSON.stringify(text)} at ${a.when.at}`
}

/** Of a rule that has a regex on a place and nothing else. */
const matches = ({ place, formula }: Facts, literal: string): boolean =>
  implies([{ kind: 'text', place, literal, start: true, end: true, folded: false }], formula)

/** The one place that a rule looks at with a regex and nothing else, and the words that it looks for there. */
export function wordsOf(
  { at, jsonata }: When,
  terms: readonly Term[] | undefined,
): Pick<Facts, 'place' | 'words'> {
  const words = (terms ?? []).flat().flatMap((atom) => (atom.kind === 'text' ? [atom] : []))
  return at === undefined || jsonata !== undefined ? { place: '', words: [] } : { place: placeOf(at), words }
}

/** Every value that a rule compares one place with, if it does nothing else. */
export function valuesOf(terms: readonly Term[] | undefined): readonly string[] {
  const atoms = terms?.flat() ?? []
  const said = atoms.flatMap((atom) => (atom.kind === 'equals' ? [atom] : []))
  const isPlain = said.length === atoms.length && terms?.every((term) => term.length === 1)
  const isOnePlace = new Set(said.map(({ place }) => place)).size === 1
  return isPlain && isOnePlace ? said.map(({ place, value }) => `${value} at ${place}`) : []
}
