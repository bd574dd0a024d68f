import { distance } from 'fastest-levenshtein'
import type { Unplaced } from './lint-names.js'
import type { Environment, Resolved } from './providers.js'

/** Up to the first underscore: what the variables of one thing have in common. */
const FAMILY = /^[^_]+_/

/**
 * Variables that are set and named like one that the config refers to, but for a slip. An environment is full of what is
 * meant for others, so only names of a family count of which the config uses at least two.
 */
export function* unusedVariables(
  resolved: readonly Resolved[],
  environment: Environment,
): Generator<Unplaced> {
  const used = new Map<string, Resolved>()
  for (const one of resolved)
    if ('variable' in one.origin && !used.has(one.origin.variable)) used.set(one.origin.variable, one)
  const families = [...used.keys()].map(familyOf)
  const others = Object.keys(environment).filter((name) => !used.has(name) && environment[name])
  for (const [name, { pointer }] of used) {
    if (families.filter((family) => family === familyOf(name)).length < 2) continue
    for (const other of others.filter((other) => isSlip(other, name))) {
      yield {
        pointer,
        name: 'unused-variable',
        message: `The environment variable ${other} is set beside ${name}, and nothing refers to it.`,
        suggestion: 'Unset it, or correct the name in this reference.',
      }
    }
  }
}

const familyOf = (name: string): string => FAMILY.exec(name)?.[0].toLowerCase() ?? name

/** HOST and PORT, ID and IP, A1 and A2 are near each other, too, and none is a slip for the other. */
const SHORTEST_WORD = 5

function isSlip(a: string, b: string): boolean {
  if (familyOf(a) !== familyOf(b)) return false
  if (withoutMarks(a) === withoutMarks(b)) return true
  const [left, right] = [a.split('_'), b.split('_')]
  const different = left.flatMap((word, index) => (word === right[index] ? [] : [[word, right[index] ?? '']]))
  const [[one = '', two = ''] = []] = different
  if (left.length !== right.length || different.length !== 1 || /\d/.test(one + two)) return false
  if (Math.min(one.length, two.length) < SHORTEST_WORD) return false
  const far = distance(one, two)
  return far === 1 || (far === 2 && sorted(one) === sorted(two))
}

const withoutMarks = (name: string): string => name.replaceAll('_', '').toLowerCase()
const sorted = (word: string): string => [...word].sort().join('')
