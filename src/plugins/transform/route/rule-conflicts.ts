import { isDeepStrictEqual } from 'node:util'
import type { LintFinding } from '../../../contract/index.js'
import { pointer } from '../../../lib/json/pointer.js'
import { conjuncts, isObject, type Keywords, members } from '../../../lib/json/schema-places.js'
import { isOfRequest } from '../../../lib/locator.js'
import type { Condition } from './condition.js'
import { textOf } from './condition.js'
import { implies, isContradictory, type Predicate, type Term, type TextLiteral } from './predicate.js'
import type { Destination, When } from './settings.js'
import { regexPath } from './to-predicate.js'

/** A rule and the facts about its condition that need no event. */
export interface Facts {
  readonly name: string
  readonly index: number
  readonly when: When
  readonly to: Destination
  readonly condition: Condition
  readonly predicate: Predicate
  /** Every way for it to match; undefined if there are too many. */
  readonly terms: readonly Term[] | undefined
  /** The path that it looks at with a regex and nothing else; empty for any other rule. */
  readonly path: string
  /** The plain words that it looks for there. */
  readonly words: readonly TextLiteral[]
  /** The values that it compares one path with, if it does nothing else. */
  readonly values: readonly string[]
}

/**
 * The reason why a rule can never match; undefined if it may. Only certain reasons count: whether two different
 * regular expressions match the same texts cannot always be decided.
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
    const earlier = above.find(({ predicate }) => implies(term, predicate))
    if (earlier === undefined) return undefined
    covering.add(earlier)
  }
  const names = [...covering].map(({ name }) => `"${name}"`)
  const [only] = covering
  if (only !== undefined && names.length === 1 && implies([], only.predicate))
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
  const { at } = when
  const values = at === undefined || isOfRequest(at) ? undefined : possibleValues(ensured, at)
  if (values !== undefined && condition.regex !== undefined) {
    const matches = values.some((value) => condition.regex?.test(textOf(value) ?? ''))
    if (!matches) return `there is no value at ${at} that its regex matches and ${BEFORE}`
  }
  const refused = terms.map((term) => refusedPath(term, ensured))
  return refused.every((path) => path !== undefined)
    ? `there is no such value at ${[...new Set(refused)].join(', ')} ${BEFORE}`
    : undefined
}

/** The path that a term compares with a value that cannot stand there. JSONata takes a list of one for its element. */
function refusedPath(term: Term, ensured: readonly unknown[]): string | undefined {
  for (const literal of term) {
    if (literal.kind !== 'equals' || isOfRequest(literal.path)) continue
    const values = possibleValues(ensured, literal.path, true)
    const isKnown = values?.every((value) => typeof value !== 'object' || value === null)
    if (isKnown && !values?.some((value) => value === JSON.parse(literal.value))) return literal.path
  }
  return undefined
}

/**
 * A rule and one above it that look at the same single path, go to different targets, and both match a value that can
 * be shown. A special case above the general one is the usual order, and conditions on different paths can nearly
 * always hold at once: neither is reported.
 */
export function overlap(rule: Facts, above: readonly Facts[]): LintFinding[] {
  for (const earlier of above) {
    const value =
      rule.path !== '' && rule.path === earlier.path
        ? jointText(earlier, rule)
        : rule.values.find((value) => earlier.values.includes(value))
    if (value === undefined || isDeepStrictEqual(earlier.to, rule.to) || isSpecialCase(earlier, rule))
      continue
    return [
      {
        at: `/rules/${rule.index}/name`,
        name: 'rules-overlap',
        message: `The rules "${earlier.name}" and "${rule.name}" both match ${value}; "${earlier.name}" comes first and decides.`,
        suggestion: 'Make one of them narrower, so that their order does not matter.',
      },
    ]
  }
  return []
}

const isSpecialCase = ({ terms }: Facts, { predicate }: Facts): boolean =>
  terms?.every((term) => implies(term, predicate)) ?? false

/** A text that the regexes of both rules match at one path, made of the words in them. */
function jointText(a: Facts, b: Facts): string | undefined {
  const isExact = [a, b].some(
    ({ words }) => words.length > 0 && words.every(({ start, end }) => start && end),
  )
  // If one of them matches whole words only, these are the only candidates.
  const joined = isExact
    ? []
    : a.words.flatMap(({ text }) => b.words.flatMap((other) => [text + other.text, other.text + text]))
  const candidates = [...[...a.words, ...b.words].map(({ text }) => text), ...joined]
  const text = candidates.find((candidate) => matches(a, candidate) && matches(b, candidate))
  return text === undefined ? undefined : `${JSON.stringify(text)} at ${a.when.at}`
}

/** For a rule with a regex on one path and nothing else. */
const matches = ({ path, predicate }: Facts, text: string): boolean =>
  implies([{ kind: 'text', path, text, start: true, end: true, folded: false }], predicate)

/** The one path that a rule looks at with a regex and nothing else, and the words that it looks for there. */
export function wordsOf(
  { at, jsonata }: When,
  terms: readonly Term[] | undefined,
): Pick<Facts, 'path' | 'words'> {
  const words = (terms ?? []).flat().flatMap((literal) => (literal.kind === 'text' ? [literal] : []))
  return at === undefined || jsonata !== undefined ? { path: '', words: [] } : { path: regexPath(at), words }
}

/** Every value that a rule compares one path with, if it does nothing else. */
export function valuesOf(terms: readonly Term[] | undefined): readonly string[] {
  const literals = terms?.flat() ?? []
  const said = literals.flatMap((literal) => (literal.kind === 'equals' ? [literal] : []))
  const isPlain = said.length === literals.length && terms?.every((term) => term.length === 1)
  const isOnePlace = new Set(said.map(({ path }) => path)).size === 1
  return isPlain && isOnePlace ? said.map(({ path, value }) => `${value} at ${path}`) : []
}

/**
 * The values that can stand at a path of an event which fits all these JSON Schemas: none if nothing can stand there,
 * undefined if they are not known. Only plain keywords of a schema are taken into account, so that the true set is never
 * larger. `objectsOnly`: also undefined if something on the way could be an array.
 */
export function possibleValues(
  schemas: readonly unknown[],
  path: string,
  objectsOnly = false,
): readonly unknown[] | undefined {
  let here = conjuncts(schemas.map((schema) => ({ schema, root: schema })))
  for (const token of pointer(path).tokens) {
    if (here.some(({ schema }) => schema === false)) return []
    const types = here.flatMap(({ schema }) => typesOf(schema as Keywords))
    if (types.some((list) => !list.includes('object') && !list.includes('array'))) return []
    const onlyObjects = types.some((list) => !list.includes('array'))
    if (!onlyObjects && (objectsOnly || /^\d+$/.test(token))) return undefined
    here = conjuncts(here.flatMap((within) => members(within, token)))
  }
  if (here.some(({ schema }) => schema === false)) return []
  const lists = here.flatMap(({ schema }) => valueLists(schema as Keywords))
  const [first, ...others] = lists
  return first?.filter((value) =>
    others.every((list) => list.some((other) => JSON.stringify(other) === JSON.stringify(value))),
  )
}

const typesOf = (schema: Keywords | true): string[][] =>
  isObject(schema) && schema['type'] !== undefined ? [[schema['type']].flat() as string[]] : []

function valueLists(schema: Keywords | true): (readonly unknown[])[] {
  if (!isObject(schema)) return []
  const { type } = schema
  return [
    ...(Array.isArray(schema['enum']) ? [schema['enum']] : []),
    ...('const' in schema ? [[schema['const']]] : []),
    ...(type === 'boolean' ? [[true, false]] : []),
    ...(type === 'null' ? [[null]] : []),
  ]
}
