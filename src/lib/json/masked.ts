/** Replaces a value that is not shown. */
export const MASK = '***'

/** The reference tokens of a JSON Pointer; `*` stands for every member or element. */
export type MaskPath = readonly string[]

export interface Masked {
  /** Compact, with numbers as they were written, and `***` at the places. */
  readonly text: string
  /** The values at the places: every string, number and key. */
  readonly hidden: ReadonlySet<string>
}

/**
 * A JSON document with the values at some places masked. All of several equal keys are masked, because a reader of the document
 * sees all of them. Throws a SyntaxError if the document is not JSON.
 */
export function masked(document: string, paths: readonly MaskPath[]): Masked {
  // The code below relies on valid JSON.
  JSON.parse(document)
  const hidden = new Set<string>()
  const parts: string[] = []
  let at = 0

  function value(live: readonly MaskPath[], depth: number, shown: boolean): void {
    skipSpace()
    const show = shown && !live.some((path) => path.length === depth)
    if (shown && !show) parts.push(JSON.stringify(MASK))
    const first = document[at]
    if (first === '{' || first === '[') container(first, live, depth, show)
    else scalar(show)
  }

  function scalar(show: boolean): void {
    const first = document[at]
    const written = token()
    if (show) parts.push(first === '"' ? JSON.stringify(JSON.parse(written)) : written)
    else if (first === '"') hidden.add(JSON.parse(written))
    else if (!/^[tfn]/.test(written)) hidden.add(written)
  }

  function container(open: '{' | '[', live: readonly MaskPath[], depth: number, show: boolean): void {
    const close = open === '{' ? '}' : ']'
    const put = (text: string) => void (show && parts.push(text))
    put(open)
    at++
    skipSpace()
    for (let index = 0; document[at] !== close; index++) {
      if (index > 0) put(',')
      let key = String(index)
      if (open === '{') {
        key = JSON.parse(token()) as string
        if (show) parts.push(JSON.stringify(key), ':')
        else hidden.add(key)
        skipSpace()
        at++
      }
      const below = show ? live.filter((path) => path[depth] === '*' || path[depth] === key) : []
      value(below, depth + 1, show)
      skipSpace()
      if (document[at] === ',') at++
      skipSpace()
    }
    at++
    put(close)
  }

  /** A string, number, boolean or null. */
  function token(): string {
    const start = at
    if (document[at] === '"') {
      for (at++; document[at] !== '"'; at++) if (document[at] === '\\') at++
      at++
    } else while (at < document.length && !ENDS.test(document[at] as string)) at++
    return document.slice(start, at)
  }

  function skipSpace(): void {
    while (SPACE.test(document[at] ?? '')) at++
  }

  value(paths, 0, true)
  return { text: parts.join(''), hidden }
}

const SPACE = /[ \t\r\n]/
const ENDS = /[ \t\r\n,\]}]/

/** Shorter values are only replaced if they stand alone: a masked `1` would replace every 1 of a sentence. */
const SHORTEST = 4

/** A text about a document, with the masked values replaced. */
export function withoutHidden(text: string, hidden: ReadonlySet<string>): string {
  if (hidden.has(text)) return MASK
  let rest = text
  for (const value of [...hidden].sort((a, b) => b.length - a.length)) {
    if (value === '' || value.length > rest.length) continue
    const quoted = JSON.stringify(value).slice(1, -1)
    rest =
      value.length >= SHORTEST
        ? rest.replaceAll(value, MASK).replaceAll(quoted, MASK)
        : rest.replaceAll(new RegExp(`(?<!${WORD})${literal(value)}(?!${WORD})`, 'gu'), MASK)
  }
  return rest
}

const WORD = '[\\p{L}\\p{N}_]'
const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
