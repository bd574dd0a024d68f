import type { Condition } from './condition.js'
import type { Formula } from './formula.js'
import { plainWords } from './regex-formula.js'
import { requiredWords } from './required-words.js'
import type { When } from './settings.js'

/** Where a rule looks: at what a JSONata path finds, at a text as a whole, or for words anywhere in it. */
export type Where =
  | { readonly kind: 'value'; readonly place: string }
  | { readonly kind: 'text'; readonly place: string }
  /** Without a place: in the payload. */
  | { readonly kind: 'words'; readonly place: string | undefined }

/** Unless one of `keys` is found there, the rule does not match, and does not fail either. */
export interface Need {
  readonly where: Where
  readonly keys: readonly Key[]
  /** Places that are looked at before. Where JSONata finds an array at one of them, nothing is certain. */
  readonly before: readonly string[]
}

export type Key = string | number | boolean | null

/** What a rule needs, each thing for itself; what tells most first. */
export function needsOf({ when, formula }: Condition): readonly Need[] {
  return [
    // A regex comes first and cannot fail, so that what the expression needs is certain, too.
    ...(formula === undefined ? [] : neededBy(formula)),
    ...(when.regex === undefined ? [] : neededByRegex(when.regex, when)),
  ]
}

function neededBy(formula: Formula): readonly Need[] {
  switch (formula.kind) {
    case 'equals':
      return [
        {
          where: { kind: 'value', place: formula.place },
          keys: [JSON.parse(formula.value) as Key],
          before: [],
        },
      ]
    case 'and':
      return neededByAll(formula.parts)
    case 'or':
      return neededByEach(formula.parts)
    default:
      return []
  }
}

/** Parts behind one that could fail are not certain: where it fails, nobody asks them. */
function neededByAll(parts: readonly Formula[]): readonly Need[] {
  const needs: Need[] = []
  const before: string[] = []
  for (const part of parts) {
    needs.push(...neededBy(part).map((need) => ({ ...need, before: [...before, ...need.before] })))
    const places = placesOf(part)
    if (places === undefined) break
    before.push(...places)
  }
  return needs
}

/** Of several ways to match, only what is needed at the same place by all of them. */
function neededByEach(parts: readonly Formula[]): readonly Need[] {
  const [first = [], ...others] = parts.map(neededBy)
  return first.flatMap(({ where, keys, before }) => {
    const same = others.map((needs) => needs.find((need) => need.where.place === where.place))
    if (!same.every((need) => need !== undefined)) return []
    return [
      {
        where,
        keys: [...keys, ...same.flatMap((need) => need.keys)],
        before: [...before, ...same.flatMap((need) => need.before)],
      },
    ]
  })
}

/** The places that a condition compares with literals; undefined where it does anything else. */
function placesOf(formula: Formula): readonly string[] | undefined {
  if (formula.kind === 'equals' || formula.kind === 'differs') return [formula.place]
  if (formula.kind !== 'and' && formula.kind !== 'or') return undefined
  const places = formula.parts.map(placesOf)
  return places.every((part) => part !== undefined) ? places.flat() : undefined
}

function neededByRegex(regex: string, { at, flags }: When): readonly Need[] {
  const inWords = (keys: readonly string[]): Need => ({
    where: { kind: 'words', place: at },
    keys: keys.map((word) => word.slice(-MOST_CHARACTERS)),
    before: [],
  })
  const plain = plainWords(regex, flags ?? '')
  if (plain === undefined) return longestFirst(requiredWords(regex, flags)).map((word) => inWords([word]))
  const keys = plain.map(({ literal }) => literal)
  const areWhole = at !== undefined && plain.every(({ start, end, folded }) => start && end && !folded)
  return areWhole ? [{ where: { kind: 'text', place: at }, keys, before: [] }] : [inWords(keys)]
}

/** Of a longer word, its end is looked for: what tells words apart often stands there. */
const MOST_CHARACTERS = 16

const longestFirst = (words: readonly string[]): readonly string[] =>
  [...words].sort((a, b) => b.length - a.length)
