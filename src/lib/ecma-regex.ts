/**
 * Translates regular expressions of ECMA-262, which JSON Schema and JSONata use, into the syntax of RE2. The same syntax has
 * another meaning in RE2: `\s` is ASCII, `.` matches \r and U+2028, `[[:alpha:]]` is a POSIX class and `\z` an anchor.
 */
const LINE_ENDS = '\\n\\r\\x{2028}\\x{2029}'
/** WhiteSpace and LineTerminator of ECMA-262. */
const SPACES =
  '\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}'
/** All other characters: RE2 cannot negate a part of a class. */
const NOT_SPACES =
  '\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}'
const ANY = '\\x{0}-\\x{10ffff}'

/** One escape, or one character. A surrogate pair in two escapes is one character, as with the flag u. */
const TOKEN =
  /\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u\{([0-9a-f]{1,6})\}|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|\\c([a-z])|\\([pP])\{([\w=]+)\}|\\([\s\S])|([\s\S])/giy

/** `flags` as for a RegExp: with s, `.` also matches line ends. Leaves syntax that RE2 does not support for RE2 to refuse. */
export function ecmaToRe2(pattern: string, flags = ''): string {
  const dot = flags.includes('s') ? '.' : `[^${LINE_ENDS}]`
  let result = ''
  let inClass = false
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(pattern); match !== null; match = TOKEN.exec(pattern)) {
    const [token, high, low, braced, unit, byte, control, p, property, escaped, plain] = match
    if (high !== undefined && low !== undefined) result += codePoint(joined(high, low))
    else if (braced ?? unit ?? byte) result += `\\x{${braced ?? unit ?? byte}}`
    else if (control !== undefined) result += codePoint(control.charCodeAt(0) % 32)
    else if (p !== undefined && property !== undefined) result += propertyClass(p, property, inClass) ?? token
    else if (escaped !== undefined) result += translated(escaped, inClass)
    else if (inClass) {
      result += plain === '[' ? '\\[' : token
      inClass = plain !== ']'
    } else if (plain === '[') {
      const empty = /\[(\^?)\]/y
      empty.lastIndex = match.index
      const nothing = empty.exec(pattern)
      if (nothing === null) {
        inClass = true
        result += token
        // The caret is not a member, and a bracket after it opens no class.
        if (pattern[TOKEN.lastIndex] === '^') {
          result += '^'
          TOKEN.lastIndex++
        }
      } else {
        result += nothing[1] === '' ? `[^${ANY}]` : `[${ANY}]`
        TOKEN.lastIndex = empty.lastIndex
      }
    } else result += plain === '.' ? dot : token
  }
  return result
}

const codePoint = (code: number | undefined): string => `\\x{${(code ?? 0).toString(16)}}`

const joined = (high: string, low: string): number | undefined =>
  String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16)).codePointAt(0)

function translated(character: string, inClass: boolean): string {
  switch (character) {
    case 's':
      return inClass ? SPACES : `[${SPACES}]`
    case 'S':
      return inClass ? NOT_SPACES : `[^${SPACES}]`
    case 'b':
      return inClass ? '\\x{8}' : '\\b'
    case '0':
      return '\\x{0}'
    default:
      return `\\${character}`
  }
}

/**
 * The first escape that RE2 has and ECMA-262 does not, with its position. Most of them have a meaning in some other engine, so
 * guessing one is not safe.
 */
export function foreignEscape(pattern: string): { text: string; position: number } | undefined {
  for (const { 0: text, index } of pattern.matchAll(/\\[pP]\{[^}]*\}|\\[\s\S]/g)) {
    if (/^\\[aAzZQECpPX]$/.test(text)) return { text, position: index }
  }
  return undefined
}

/**
 * Translates a property that RE2 lacks (`Letter`, `Script=Greek`, `sc=Grek`, `White_Space`) into its code points, from the
 * tables of the JavaScript engine. Undefined for a name that neither engine has, and for one that both have.
 */
function propertyClass(p: string, property: string, inClass: boolean): string | undefined {
  if (/^[A-Z][a-z]?$/.test(property)) return undefined
  const ranges = rangesOf(p, property)
  if (ranges === undefined) return undefined
  return inClass ? ranges : `[${ranges}]`
}

const rangesByProperty = new Map<string, string | undefined>()

function rangesOf(p: string, property: string): string | undefined {
  const key = `\\${p}{${property}}`
  if (!rangesByProperty.has(key)) rangesByProperty.set(key, findRanges(key))
  return rangesByProperty.get(key)
}

function findRanges(escaped: string): string | undefined {
  let members: RegExp
  try {
    members = new RegExp(`${escaped}+`, 'gu')
  } catch {
    return undefined
  }
  const found: string[] = []
  for (const { 0: run } of allCharacters().matchAll(members)) {
    const last = /[\udc00-\udfff]$/.test(run) ? run.slice(-2) : run.slice(-1)
    found.push(`${codePoint(run.codePointAt(0))}-${codePoint(last.codePointAt(0))}`)
  }
  return found.length === 0 ? undefined : found.join('')
}

/** In order, without the surrogates: two of them would form one character. */
function allCharacters(): string {
  const units = new Uint16Array(0xd800 + 0x2000 + 2 * 0x100000)
  let length = 0
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code < 0x10000) {
      if (code < 0xd800 || code > 0xdfff) units[length++] = code
    } else {
      units[length++] = 0xd7c0 + (code >> 10)
      units[length++] = 0xdc00 + (code & 0x3ff)
    }
  }
  return Buffer.from(units.buffer).toString('utf16le')
}
