import { Budget, STEPS } from '../../../lib/budget.js'
import type { Regex } from '../../../lib/regex.js'

/** Characters of the texts that are tried. */
const TRIED = 8_192
/** Smaller programs are not costly enough, whatever the text. */
const FEWEST_INSTRUCTIONS = 40
const MOST_CHARACTERS = 6

/**
 * True when the regex certainly uses up its budget on some text of `maxBody` bytes: one made of two or three of its own
 * characters is long enough to tell. `budget`: for all patterns that are tried; when it is used up, nothing is certain.
 */
export function isTooCostly(regex: Regex, pattern: string, maxBody: number, budget: Budget): boolean {
  if (regex.size < FEWEST_INSTRUCTIONS || maxBody <= TRIED) return false
  const characters = [...new Set(`${pattern.replace(/\\[a-zA-Z]|\W|_/g, '')}a`)].slice(0, MOST_CHARACTERS)
  const most = (STEPS * TRIED) / maxBody
  for (const [index, first] of characters.entries()) {
    for (const second of characters.slice(index)) {
      if (budget.left < most) return false
      const spent = new Budget()
      try {
        regex.test(mixed(first, second), spent)
      } catch {
        return true
      }
      budget.left -= spent.spent + TRIED / 8
      // To fill the cache of states takes many steps once.
      if (spent.spent > most + FILLING) return true
    }
  }
  return false
}

const FILLING = 1_500_000

/** The same each time, without a period. */
function mixed(first: string, second: string): string {
  let seed = 1
  return Array.from({ length: TRIED }, () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return (seed >> 16) % 2 === 0 ? first : second
  }).join('')
}
