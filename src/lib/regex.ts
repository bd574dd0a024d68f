/**
 * Regular expressions in linear time, whatever the pattern and the text: RE2 has no back-references and no look-around, for which
 * an engine has to backtrack.
 */
import { RE2JS, RE2JSSyntaxException } from 're2js'
import { HeadgateError } from '../contract/errors.js'
import { ecmaToRe2, foreignEscape } from './ecma-regex.js'
import { Regex } from './regex-search.js'

export type { Regex } from './regex-search.js'

type Translate = (pattern: string) => string

/**
 * Instructions of a compiled pattern. Most have some dozens; a repetition such as `.{0,1000}` counts as often as it can repeat.
 * Larger patterns are too slow for texts of an ordinary size; each search has a budget as well (regex-search.ts).
 */
const MAX_PROGRAM = 2500

const FLAGS = new Map([
  ['i', RE2JS.CASE_INSENSITIVE],
  ['m', RE2JS.MULTILINE],
  ['s', RE2JS.DOTALL],
])

/**
 * Compiles RE2 syntax; `flags` are any of i, m and s. Throws HG_CONFIG_REGEX with the wrong fragment and its position, or if the
 * pattern compiles to more than MAX_PROGRAM instructions.
 */
export const compileRegex = (pattern: string, flags = ''): Regex => compile(pattern, flags, (same) => same)

/** The same for the syntax and the classes of ECMAScript with the flag u, which JSON Schema and JSONata use. */
export function compileEcmaRegex(pattern: string, flags = ''): Regex {
  const [before, reference] = NAMED_REFERENCE.exec(pattern) ?? []
  if (before !== undefined && reference !== undefined) {
    throw malformed(unsupported('back-references', reference, before.length - reference.length))
  }
  const foreign = foreignEscape(pattern)
  if (foreign !== undefined) {
    throw malformed(`ECMAScript has no escape ${quote(foreign.text)}: position ${foreign.position}.`)
  }
  return compile(pattern, flags, (text) => ecmaToRe2(text, flags))
}

/** The first \k<name>. The translation would silently turn it into a plain k. */
const NAMED_REFERENCE = /^(?:[^\\]|\\[^k])*?(\\k<[^>]*>)/u

function compile(pattern: string, flags: string, translate: Translate): Regex {
  let bits = 0
  for (const flag of flags) bits |= FLAGS.get(flag) ?? 0
  try {
    return bounded(RE2JS.compile(translate(pattern), bits))
  } catch (error) {
    throw error instanceof RE2JSSyntaxException ? malformed(explain(pattern, error, translate)) : error
  }
}

function bounded(compiled: RE2JS): Regex {
  const size = compiled.programSize()
  if (size <= MAX_PROGRAM) return new Regex(compiled)
  throw malformed(
    `The pattern is too costly: it compiles to ${size} instructions, and the limit is ${MAX_PROGRAM}. Repetitions such as {0,1000} count as often as they can repeat.`,
  )
}

const malformed = (message: string) => new HeadgateError('HG_CONFIG_REGEX', message)

function explain(pattern: string, error: RE2JSSyntaxException, translate: Translate): string {
  const reason = error.getDescription()
  const fragment = error.getPattern() ?? ''
  // In these errors the fragment is empty, or the whole pattern.
  if (fragment === '' || reason.startsWith('missing closing')) return `${sentence(reason)}.`
  const position = positionOf(pattern, error, translate)
  const [look] = /^\(\?<?[=!]/.exec(fragment) ?? []
  if (look !== undefined) return unsupported('look-around', look, position)
  if (/^\\[1-9]/.test(fragment)) return unsupported('back-references', fragment, position)
  const limit = reason === 'invalid repeat count' ? ' (at most 1000)' : ''
  return `${sentence(reason)}${limit}: ${quote(fragment)} at position ${position}.`
}

const sentence = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

const unsupported = (what: string, fragment: string, position: number): string =>
  `RE2 syntax has no ${what}: ${quote(fragment)} at position ${position}.`

const quote = (fragment: string): string =>
  JSON.stringify(fragment.length > 40 ? `${fragment.slice(0, 40)}...` : fragment)

/** The engine gives the fragment and not its position: it is at the end of the shortest prefix with the same error. */
function positionOf(pattern: string, error: RE2JSSyntaxException, translate: Translate): number {
  const reason = error.getDescription()
  const fragment = error.getPattern() ?? ''
  for (let end = 1; end <= pattern.length; end++) {
    const prefix = translate(pattern.slice(0, end))
    const found = errorOf(prefix)
    if (found?.getDescription() !== reason) continue
    // "unexpected )" gives the whole input; the parenthesis is its last character.
    if (found.getPattern() === prefix && reason === 'unexpected )') return end - 1
    if (found.getPattern() === fragment) return Math.max(0, end - fragment.length)
  }
  return pattern.lastIndexOf(fragment)
}

function errorOf(pattern: string): RE2JSSyntaxException | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    return error instanceof RE2JSSyntaxException ? error : undefined
  }
}
