/** Shorter secrets are not looked for: a `1` would blank every 1 of a text. */
const SHORTEST = 4

/** Secrets of this length are replaced wherever they are found; shorter ones only where they stand alone. */
const ANYWHERE = 12

/** One way in which a secret can be written. */
interface Form {
  readonly text: string
  readonly shown: string
}

interface Interval extends Form {
  readonly from: number
  readonly to: number
}

/** Secrets, with what is shown in place of each. */
export type Secrets = ReadonlyMap<string, string>

/**
 * Replaces secrets in a finished text. They are also found escaped as in JSON and percent-encoded as in a URL. A short secret
 * is replaced where it stands alone and not within a longer name, id, path or address: the secret "hook" leaves
 * `source.http-webhook` as it is.
 */
export function redactor(secrets: Secrets): (text: string) => string {
  const forms = formsOf(secrets)
  const references = [...new Set(secrets.values())]
  return (text) => redacted(text, forms, references)
}

/**
 * Replaces secrets in a line of JSON, which stays JSON. Numbers and the fields of the line that hold only names of Headgate and
 * of the config are left as they are. Of the names of members, only long secrets are replaced.
 */
export function lineRedactor(secrets: Secrets): (line: string) => string {
  const forms = formsOf(secrets)
  const long = forms.filter(isLong)
  const references = [...new Set(secrets.values())]
  const inLiteral = (literal: string, among: readonly Form[]): string => {
    if (!holdsOne(literal, among)) return literal
    const text = JSON.parse(literal) as string
    const shown = redacted(text, among, references)
    return shown === text ? literal : JSON.stringify(shown)
  }
  return (line) => {
    if (!holdsOne(line, forms)) return line
    if (!isJson(line)) return redacted(line, forms, references)
    let depth = 0
    let member = ''
    return line.replace(JSON_TOKEN, (token, name: string | undefined, value: string | undefined) => {
      if (name !== undefined) {
        if (depth === 1) member = JSON.parse(name) as string
        return inLiteral(name, long) + token.slice(name.length)
      }
      if (value !== undefined) return depth === 1 && NAMES.has(member) ? value : inLiteral(value, forms)
      depth += token === '{' || token === '[' ? 1 : -1
      return token
    })
  }
}

/** Characters of the longest form that a secret can have in a text. */
export const longestForm = (secrets: Secrets): number =>
  formsOf(secrets).reduce((most, { text }) => Math.max(most, text.length), 0)

/** Members of a log line that only hold names which Headgate or the config gives. */
const NAMES: ReadonlySet<string> = new Set([
  'level',
  'time',
  'pid',
  'pipeline',
  'stage',
  'plugin',
  'sink',
  'group',
  'topic',
  'event',
  'code',
  'listener',
  'revision',
  'worker',
])

/** A member's name with its colon, another string, or what opens and closes. */
const JSON_TOKEN = /("(?:[^"\\]|\\.)*")\s*:|("(?:[^"\\]|\\.)*")|[{}[\]]/g

const holdsOne = (text: string, forms: readonly Form[]): boolean =>
  forms.some((form) => text.includes(form.text))

function isJson(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

function formsOf(secrets: Secrets): Form[] {
  const forms = new Map<string, string>()
  for (const [secret, shown] of secrets) {
    // As the header of a request it has lost the white space around it.
    for (const text of new Set([secret, secret.trim()])) {
      if (text.length < SHORTEST) continue
      for (const form of [text, escaped(text), escaped(escaped(text)), ...percentEncoded(text)])
        if (!forms.has(form) || form === secret) forms.set(form, shown)
    }
  }
  return [...forms].map(([text, shown]) => ({ text, shown }))
}

const escaped = (text: string): string => JSON.stringify(text).slice(1, -1)

/** As a part of a path or query, with hex digits in either case, and as a value of a form. */
function percentEncoded(text: string): string[] {
  // Half a surrogate pair has no such form.
  if (/\p{Surrogate}/u.test(text)) return []
  const encoded = encodeURIComponent(text)
  const strict = encoded.replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
  const lower = (form: string) => form.replace(/%../g, (one) => one.toLowerCase())
  const form = new URLSearchParams({ '': text }).toString().slice(1)
  return [encoded, strict, lower(encoded), lower(strict), form]
}

function redacted(text: string, forms: readonly Form[], references: readonly string[]): string {
  const found = forms.flatMap((form) =>
    occurrences(text, form.text)
      .filter((from) => isLong(form) || standsAlone(text, from, from + form.text.length))
      .map((from): Interval => ({ ...form, from, to: from + form.text.length })),
  )
  if (found.length === 0) return text
  // A text may have been redacted before: a secret that is part of what is shown in place of one stays there.
  const shown = references.flatMap((reference) =>
    occurrences(text, reference).map((from) => ({ from, to: from + reference.length })),
  )
  const open = found.filter(({ from, to }) => !shown.some((one) => one.from <= from && to <= one.to))
  let result = ''
  let end = 0
  for (const { from, to, shown } of merged(open)) {
    result += text.slice(end, from) + shown
    end = to
  }
  return result + text.slice(end)
}

const isLong = ({ text }: Form): boolean => text.length >= ANYWHERE

/** Where a text is found, overlapping with itself too. */
function occurrences(text: string, part: string): number[] {
  const found: number[] = []
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) found.push(at)
  return found
}

/** Those that overlap become one, which is shown as the longest of them. */
function merged(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = []
  for (const next of intervals.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    const last = result.at(-1)
    if (last === undefined || next.from >= last.to) {
      result.push(next)
      continue
    }
    const longer = next.text.length > last.text.length ? next : last
    result[result.length - 1] = { ...longer, from: last.from, to: Math.max(last.to, next.to) }
  }
  return result
}

const WORD = /[\p{L}\p{M}\p{N}]/u
/** What ends before the secret and belongs to it: `http-`, `/`, `kafka:`; but not `token:`, which announces one. */
const BEFORE = /[\p{L}\p{M}\p{N}_\-./@]$|[\p{L}\p{N}\]]:$/u
const ANNOUNCED =
  /(?:authorization|bearer|basic|pass|password|passwd|passphrase|pwd|secret|token|key|credentials?):$/iu
/** What begins behind it and belongs to it: `-1`, `.orders`, `:9092`; but not the end of a sentence. */
const BEHIND = /^(?:[\p{L}\p{M}\p{N}_\-/@]|[.:]+[\p{L}\p{M}\p{N}_\-/@])/u
/** As many characters as an announcement has. */
const AROUND = 16

/** Whether what is found there is no part of a longer name, id, path or address. */
function standsAlone(text: string, from: number, to: number): boolean {
  const before = text.slice(Math.max(0, from - AROUND), from)
  const behind = text.slice(to, to + AROUND)
  // The password of a URL.
  if (before.endsWith(':') && behind.startsWith('@')) return true
  const joinedBefore = WORD.test(text[from] ?? '') && BEFORE.test(before) && !ANNOUNCED.test(before)
  const joinedBehind = WORD.test(text[to - 1] ?? '') && BEHIND.test(behind)
  return !joinedBefore && !joinedBehind
}
