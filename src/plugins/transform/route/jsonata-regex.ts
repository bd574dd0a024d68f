import type { Budget } from '../../../lib/budget.js'
import { compileEcmaRegex, type Regex } from '../../../lib/regex.js'

/** Steps for what JSONata makes of one match; it also bounds how many there are in memory. */
const STEPS_OF_A_MATCH = 100

/**
 * What JSONata runs its regular expressions with. It makes one for each evaluation of a literal and steps through the matches
 * by `lastIndex`, as with the flag g. To find all matches is quadratic even in linear time (`a(.*b)?` looks to the end from
 * every a): hence the budget, which is that of the evaluation.
 */
export function linearRegexEngine(budget: () => Budget): RegExpConstructor {
  class LinearRegex {
    lastIndex = 0
    readonly #regex: Regex

    constructor(literal: RegExp) {
      this.#regex = compileLiteral(literal)
    }

    exec(text: string): RegExpExecArray | null {
      const spending = budget()
      spending.spend(STEPS_OF_A_MATCH)
      const found =
        this.lastIndex > text.length ? undefined : this.#regex.find(text, this.lastIndex, spending)
      if (found === undefined) {
        this.lastIndex = 0
        return null
      }
      const [index = 0, end = 0] = found
      this.lastIndex = end
      const groups: (string | undefined)[] = []
      for (let group = 0; group < found.length; group += 2) {
        const from = found[group] as number
        groups.push(from < 0 ? undefined : text.slice(from, found[group + 1]))
      }
      return Object.assign(groups, { index, input: text }) as RegExpExecArray
    }
  }
  return LinearRegex as unknown as RegExpConstructor
}

const compiled = new WeakMap<RegExp, Regex>()

/** Compiles a regular expression literal of an expression, once. Throws HG_CONFIG_REGEX. */
export function compileLiteral(literal: RegExp): Regex {
  const known = compiled.get(literal)
  if (known !== undefined) return known
  const regex = compileEcmaRegex(literal.source, literal.flags)
  compiled.set(literal, regex)
  return regex
}
