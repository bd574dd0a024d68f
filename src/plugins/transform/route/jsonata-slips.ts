import { distance } from 'fastest-levenshtein'

/** Something wrong with an expression: the characters from `from` to `to` of its text. */
export interface ExpressionProblem {
  /** Sentences. */
  readonly message: string
  readonly suggestion?: string
  readonly from: number
  readonly to: number
}

/** What other languages write, and what JSONata writes instead. */
const SLIPS: readonly (readonly [RegExp, string, string])[] = [
  [/!==/g, 'JSONata has no "!==".', 'Write "!=".'],
  [/={2,3}/g, 'JSONata compares with one "=".', 'Write "=" in place of "==".'],
  [/&&/g, 'JSONata has no "&&".', 'Write "and".'],
  [/\|\|/g, 'JSONata has no "||".', 'Write "or".'],
  [/<>/g, 'JSONata has no "<>".', 'Write "!=".'],
  [/!(?!=)/g, 'JSONata has no "!" for "not".', 'Write $not(...), or "!=".'],
  [
    /=?~(?!>)|\b(?:like|matches|contains|startswith|endswith)\b/gi,
    'JSONata has no such operator.',
    'For a part of a text, write $contains(payload.region, "eu") or $contains(payload.region, /^eu-/).',
  ],
  [/\b(?:AND|OR|IN)\b/g, 'Operators are written in lower case.', 'Write "and", "or", "in".'],
  [/\bnot\s+in\b/gi, 'JSONata has no "not in".', 'Write $not(payload.region in ["eu", "us"]).'],
  [/\bnot\b/gi, 'JSONata has no operator "not".', 'Write $not(...), or "!=".'],
  [
    /\bis\s+(?:not\s+)?null\b/gi,
    'JSONata has no "is".',
    'Write "= null" or "!= null"; $exists(...) says whether something is there.',
  ],
  [/\b(?:is|eq|equals|ne)\b/gi, 'JSONata has no such operator.', 'Write "=" or "!=".'],
  [/\bif\s*\([^)]*\)\s*\S+/g, 'JSONata has no "if".', 'Write condition ? then : otherwise.'],
  [/(?<![\d\w])\.\d+/g, 'A number begins with a digit.', 'Write 0.5 in place of .5.'],
  [/(?<!\w)0\d+/g, 'A number has no zeros in front.', 'Write 5 in place of 05, or "05" for text.'],
  [/;/g, 'A ";" only stands between expressions in parentheses.', 'Leave it out.'],
]

/** The slip at a place of an expression that is no JSONata; undefined where it is none of the common ones. */
export function slipAt(text: string, from: number, to: number): ExpressionProblem | undefined {
  for (const [pattern, message, suggestion] of SLIPS) {
    for (const match of text.matchAll(pattern)) {
      const end = match.index + match[0].length
      // The word before the one that the parser stumbles over may be it: "not a".
      if (match.index <= to && end >= from - 1) return { message, suggestion, from: match.index, to: end }
    }
  }
  return undefined
}

/** The name that was probably meant. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const far = (other: string) => distance(name.toLowerCase(), other.toLowerCase())
  const [best] = [...names].sort((a, b) => far(a) - far(b))
  return best !== undefined && far(best) <= Math.max(1, Math.floor(name.length / 4)) ? best : undefined
}
