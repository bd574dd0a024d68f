import { locator } from '../../../lib/locator.js'
import type { Condition } from './condition.js'
import type { Predicate } from './predicate.js'
import type { When } from './settings.js'
import { plainWords } from './to-predicate.js'

/**
 * Where a rule looks: at the value of a JSONata path, at a text as a whole, or for words anywhere in it. `path`: the text of a
 * locator.
 */
export type Where =
  | { readonly kind: 'value'; readonly path: string }
  | { readonly kind: 'text'; readonly path: string }
  /** Without a path: in the payload. */
  | { readonly kind: 'words'; readonly path: string | undefined }

/** Unless one of `keys` is found there, the rule does not match, and does not fail either. */
export interface Requirement {
  readonly where: Where
  readonly keys: readonly Key[]
  /** Paths that are looked at before. If JSONata finds an array at one of them, nothing is certain. */
  readonly before: readonly string[]
}

export type Key = string | number | boolean | null

/** Everything without which a rule cannot match; the most selective first. */
export function requirementsOf({ when, predicate }: Condition): readonly Requirement[] {
  return [
    // A regex is evaluated first and cannot fail, so that the requirements of the expression are certain, too.
    ...(predicate === undefined ? [] : requiredBy(predicate)),
    ...(when.regex === undefined ? [] : requiredByRegex(when.regex, when)),
  ]
}

function requiredBy(predicate: Predicate): readonly Requirement[] {
  switch (predicate.kind) {
    case 'equals':
      return [
        {
          where: { kind: 'value', path: predicate.path },
          keys: [JSON.parse(predicate.value) as Key],
          before: [],
        },
      ]
    case 'and':
      return requiredByAll(predicate.parts)
    case 'or':
      return requiredByEach(predicate.parts)
    default:
      return []
  }
}

/** Parts behind one that could fail are not certain: they are not evaluated if it fails. */
function requiredByAll(parts: readonly Predicate[]): readonly Requirement[] {
  const requirements: Requirement[] = []
  const before: string[] = []
  for (const part of parts) {
    requirements.push(
      ...requiredBy(part).map((requirement) => ({
        ...requirement,
        before: [...before, ...requirement.before],
      })),
    )
    const paths = pathsOf(part)
    if (paths === undefined) break
    before.push(...paths)
  }
  return requirements
}

/** Of several ways to match, only the requirements that all of them have at the same path. */
function requiredByEach(parts: readonly Predicate[]): readonly Requirement[] {
  const [first = [], ...others] = parts.map(requiredBy)
  return first.flatMap(({ where, keys, before }) => {
    const same = others.map((requirements) =>
      requirements.find((requirement) => requirement.where.path === where.path),
    )
    if (!same.every((requirement) => requirement !== undefined)) return []
    return [
      {
        where,
        keys: [...keys, ...same.flatMap((requirement) => requirement.keys)],
        before: [...before, ...same.flatMap((requirement) => requirement.before)],
      },
    ]
  })
}

/** The paths that a condition compares with literals; undefined if it does anything else. */
function pathsOf(predicate: Predicate): readonly string[] | undefined {
  if (predicate.kind === 'equals' || predicate.kind === 'differs') return [predicate.path]
  if (predicate.kind !== 'and' && predicate.kind !== 'or') return undefined
  const paths = predicate.parts.map(pathsOf)
  return paths.every((part) => part !== undefined) ? paths.flat() : undefined
}

function requiredByRegex(regex: string, { at, flags }: When): readonly Requirement[] {
  const path = at === undefined ? undefined : locator(at).text
  const inWords = (keys: readonly string[]): Requirement => ({
    where: { kind: 'words', path },
    keys: keys.map((word) => word.slice(-MOST_CHARACTERS)),
    before: [],
  })
  const plain = plainWords(regex, flags ?? '')
  if (plain === undefined) return longestFirst(requiredLiterals(regex, flags)).map((word) => inWords([word]))
  const keys = plain.map(({ text }) => text)
  const areWhole = path !== undefined && plain.every(({ start, end, folded }) => start && end && !folded)
  return areWhole ? [{ where: { kind: 'text', path }, keys, before: [] }] : [inWords(keys)]
}

/** Of a longer word, only the end is searched for: words often differ there. */
const MOST_CHARACTERS = 16

const longestFirst = (words: readonly string[]): readonly string[] =>
  [...words].sort((a, b) => b.length - a.length)

/** One token of RE2 syntax. There are others, which are rare, or name characters by numbers. */
const TOKEN = new RegExp(
  [
    /(?<open>\()|(?<close>\))|(?<bar>\|)/,
    // The character before these may be there no time at all.
    /(?<maybe>[*?]\??|\{\d+(?:,\d*)?\}\??)/,
    /(?<other>\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]|\\[dDsSwWbBAzntrfv]|[.^$]|\+\??)/,
    /\\(?<escaped>[^A-Za-z0-9])|(?<plain>[^\\[{])/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'suy',
)

/**
 * Words that every text has, in any case of letters, which a regex matches: the plain characters between everything
 * else. `regex` is RE2 syntax and compiles. Empty if no word is certain.
 */
export function requiredLiterals(regex: string, flags = ''): readonly string[] {
  // Only in ASCII is it simple which letters are the same in another case.
  const isFolded = flags.includes('i') || regex.includes('(?')
  const words: string[] = []
  let word: string[] = []
  let depth = 0
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < regex.length) {
    const token = TOKEN.exec(regex)?.groups
    if (token === undefined) return []
    const { open, close, bar, maybe, escaped, plain } = token
    if (open !== undefined) depth++
    if (close !== undefined) depth--
    if (bar !== undefined && depth === 0) return []
    const character = escaped ?? plain
    if (depth === 0 && character !== undefined && !(isFolded && character > '\x7f')) {
      word.push(character)
      continue
    }
    if (maybe !== undefined) word.pop()
    words.push(word.join(''))
    word = []
  }
  return [...words, word.join('')].filter((each) => each !== '')
}
