/** What a file of Java properties says; or the line of the first escape that Java would refuse. */
export type Properties = { readonly values: ReadonlyMap<string, string> } | { readonly malformed: number }

const ESCAPES: { readonly [letter: string]: string } = { t: '\t', n: '\n', r: '\r', f: '\f' }

/**
 * Reads a text as java.util.Properties does: comments with # or !, keys that end at =, : or white space, lines that a
 * backslash continues, escapes. Of equal keys the last one counts.
 */
export function parseProperties(text: string): Properties {
  const values = new Map<string, string>()
  for (const { content, number } of logicalLines(text)) {
    const [, key = '', value = ''] = LINE.exec(content) ?? []
    try {
      values.set(unescaped(key), unescaped(value))
    } catch {
      return { malformed: number }
    }
  }
  return { values }
}

/** The key ends at the first separator that is not escaped; one = or : may have white space around it. */
const LINE = /^((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)$/s

const COMMENT_OR_BLANK = /^[ \t\f]*(?:[#!]|$)/
const CONTINUED = /(?:^|[^\\])(?:\\\\)*\\$/

/**
 * Lines with what continues them. A comment is not continued, and a comment sign in a continuation is none; but to Java a
 * line of only a backslash has not begun, and neither has what comes after it.
 */
function* logicalLines(text: string): Generator<{ readonly content: string; readonly number: number }> {
  const lines = text.split(/\r\n|\r|\n/)
  for (let at = 0; at < lines.length; at++) {
    if (COMMENT_OR_BLANK.test(lines[at] ?? '')) continue
    const number = at + 1
    let content = trimStart(lines[at])
    while (CONTINUED.test(content) && content !== '\\')
      content = content.slice(0, -1) + trimStart(lines[++at])
    if (content !== '\\') yield { content, number }
  }
}

const trimStart = (line = ''): string => line.replace(/^[ \t\f]+/, '')

const unescaped = (text: string): string =>
  text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.?))/gs, (_escape, code?: string, letter = '') => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
    if (letter === 'u') throw new SyntaxError('malformed \\u escape')
    return ESCAPES[letter] ?? letter
  })
