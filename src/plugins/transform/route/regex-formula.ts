import { compileRegex } from '../../../lib/regex.js'
import { ALWAYS, type Formula } from './formula.js'
import type { When } from './settings.js'

/** What a regex asks of an event; in its parts where it is made of plain words. `place` is where it looks. */
export function regexFormula(regex: string, { at, flags = '' }: When): Formula {
  const place = placeOf(at)
  // The payload always has a text, if only an empty one.
  if (matchesAnyText(regex, flags, at === undefined))
    return at === undefined ? ALWAYS : { kind: 'exists', place }
  const words = plainWords(regex, flags)
  if (words !== undefined)
    return { kind: 'or', parts: words.map((word) => ({ kind: 'text', place, ...word })) }
  const compiled = compileRegex(regex, flags)
  const key = JSON.stringify([regex, [...flags].sort()])
  return { kind: 'matches', place, key, test: (text) => compiled.test(text) }
}

/** A regex sees another text than JSONata does, so a place of its own. */
export const placeOf = (at: string | undefined): string => JSON.stringify(['regex', at])

export interface Word {
  readonly literal: string
  readonly start: boolean
  readonly end: boolean
  readonly folded: boolean
}

/** Plain words with or without ^ and $: `^eu-`, `east$|west$`, `^(eu|us)-west$`. Undefined for any other regex. */
export function plainWords(regex: string, flags: string): Word[] | undefined {
  // An escaped | or parenthesis does not divide anything.
  if (flags.includes('m') || /\\[|()]/.test(regex)) return undefined
  const folded = flags.includes('i')
  const [, before, inner, after] = /^([^()|]*)\((?:\?:)?([^()]*)\)([^()|]*)$/.exec(regex) ?? []
  const words =
    inner === undefined
      ? regex.split('|').map((part) => wordOf(part, folded))
      : inner.split('|').map((part) => wordOf(`${before}${part}${after}`, folded))
  return words.every((word) => word !== undefined) ? words : undefined
}

function wordOf(part: string, folded: boolean): Word | undefined {
  const [, open, body, close] = /^(\^?)((?:[^\\^$.*+?()[\]{}|]|\\[^A-Za-z0-9])+)(\$?)$/s.exec(part) ?? []
  if (body === undefined) return undefined
  const literal = body.replace(/\\(.)/gs, '$1')
  // What counts as the same letter in another case is simple in ASCII only.
  if (folded && /[^\0-\x7f]/.test(literal)) return undefined
  return {
    literal: folded ? literal.toLowerCase() : literal,
    start: open === '^',
    end: close === '$',
    folded,
  }
}

/**
 * True where a search certainly succeeds in any text: what matches the empty text and looks at nothing around it matches
 * at the start of every text. ^ holds there, as $ does at the end, if only one of them stands. `oneLine`: compact JSON
 * has no line ends.
 */
export function matchesAnyText(regex: string, flags: string, oneLine: boolean): boolean {
  if (regex === '^.*$') return oneLine || flags.includes('s')
  const unanchored = regex.startsWith('^') ? regex.slice(1) : regex.replace(/\$$/, '')
  if (/[\^$]|\\[bBAzZ]/.test(unanchored)) return false
  try {
    return compileRegex(unanchored, flags).test('')
  } catch {
    return false
  }
}
