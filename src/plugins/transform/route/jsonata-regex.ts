import { compileEcmaRegex, type Regex } from '../../../regex.js'

/**
 * What JSONata runs its regular expressions with, in linear time. It makes one for each evaluation of a literal and steps
 * through the matches by `lastIndex`, as with the flag g. Finding all matches is quadratic even so (`a(.*b)?` looks to
 * the end from every a) and JSONata's own timeout does not see it: hence `milliseconds`.
 */
export function linearRegexEngine(milliseconds: number): RegExpConstructor {
  class LinearRegex {
    lastIndex = 0
    readonly #regex: Regex
    readonly #deadline = Date.now() + milliseconds

    constructor(literal: RegExp) {
      this.#regex = compileLiteral(literal)
    }

    exec(text: string): RegExpExecArray | null {
      if (Date.now() > this.#deadline) throw { code: 'D1012', value: milliseconds }
      const matcher = this.#regex.matcher(text)
      if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
        this.lastIndex = 0
        return null
      }
      this.lastIndex = matcher.end()
      const groups = Array.from(
        { length: matcher.groupCount() + 1 },
        (_, group) => matcher.group(group) ?? undefined,
      )
      return Object.assign(groups, { index: matcher.start(), input: text }) as RegExpExecArray
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
