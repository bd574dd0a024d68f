import { isJson } from '../lib/json/body.js'

/** Shorter secrets are not replaced: for the secret `1`, every 1 of a text would disappear. */
const SHORTEST = 4

/** Secrets of this length are replaced everywhere; shorter ones only if they stand alone. */
const ANYWHERE = 12

/** One of the notations of a secret. */
interface Form {
  readonly text: string
  readonly shown: string
}

interface Interval extends Form {
  readonly from: number
  readonly to: number
}

/** Secrets, each with the text that replaces it. */
export type Secrets = ReadonlyMap<string, string>

/**
 * Replaces secrets in a finished text, also those escaped as in JSON or percent-encoded as in a URL. A short secret is only
 * replaced if it stands alone, and not within a longer name, id, path or address: the secret "hook" leaves
 * `source.http-webhook` as it is.
 */
export function redactor(secrets: Secrets): (text: string) => string {
  const forms = formsOf(secrets)
  const references = [...new Set(secrets.values())]
  return (text) => redacted(text, forms, references)
}

/**
 * Replaces secrets in a line of JSON, which remains valid JSON. Leaves numbers as they are, and the fields of the line that hold
 * only names of Headgate and of the config. In the names of members, only long secrets are replaced.
 */
export function lineRedactor(secrets: Secrets): (line: string) => string {
  const forms = formsOf(secrets)
  const long = forms.filter(isLong)
  const references = [...new Set(secrets.values())]
  const inLiteral = (literal: string, among: readonly Form[]): string => {
    if (!containsAny(literal, among)) return literal
    const text = JSON.parse(literal) as string
    const shown = redacted(text, among, references)
    return shown === text ? literal : JSON.stringify(shown)
  }
  return (line) => {
    if (!containsAny(line, forms)) return line
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

/** The length of the longest form of any secret in a text. */
export const longestForm = (secrets: Secrets): number =>
  formsOf(secrets).reduce((most, { text }) => Math.max(most, text.length), 0)

/** Members of a log line that hold only names from Headgate or from the config. */
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

/** The name of a member with its colon, another string, a brace or a bracket. */
const JSON_TOKEN = /("(?:[^"\\]|\\.)*")\s*:|("(?:[^"\\]|\\.)*")|[{}[\]]/g

const containsAny = (text: string, forms: readonly Form[]): boolean =>
  forms.some((form) => text.includes(form.text))

function formsOf(secrets: Secrets): Form[] {
  const forms = new Map<string, string>()
  for (const [secret, shown] of secrets) {
    // In the header of a request, the white space around it is removed.
    for (const text of new Set([secret, secret.trim()])) {
      if (text.length < SHORTEST) continue
      for (const form of [text, escaped(text), escaped(escaped(text)), ...percentEncoded(text)])
        if (!forms.has(form) || form === secret) forms.set(form, shown)
    }
  }
  return [...forms].map(([text, shown]) => ({ text, shown }))
}

const escaped = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Encoded as a part of a path or query, with hex digits in either case, and as a value of a form. */
function percentEncoded(text: string): string[] {
  // encodeURIComponent throws for half a surrogate pair.
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
  // The text may have been redacted before: a secret can be a part of a reference that replaces another one, and stays there.
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

/** The offsets of a text, overlapping occurrences included. */
function occurrences(text: string, part: string): number[] {
  const found: number[] = []
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) found.push(at)
  return found
}

/** Joins overlapping intervals into one, with the replacement of the longest of them. */
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
/** Text before a secret that belongs to the same word: `http-`, `/`, `kafka:`; but not `token:`, which announces a secret. */
const BEFORE = /[\p{L}\p{M}\p{N}_\-./@]$|[\p{L}\p{N}\]]:$/u
const ANNOUNCED =
  /(?:authorization|bearer|basic|pass|password|passwd|passphrase|pwd|secret|token|key|credentials?):$/iu
/** Text after a secret that belongs to the same word: `-1`, `.orders`, `:9092`; but not the end of a sentence. */
const BEHIND = /^(?:[\p{L}\p{M}\p{N}_\-/@]|[.:]+[\p{L}\p{M}\p{N}_\-/@])/u
/** Enough characters for the longest announcement. */
const AROUND = 16

/** False if the occurrence is a part of a longer name, id, path or address. */
function standsAlone(text: string, from: number, to: number): boolean {
  const before = text.slice(Math.max(0, from - AROUND), from)
  const behind = text.slice(to, to + AROUND)
  // The password of a URL.
  if (before.endsWith(':') && behind.startsWith('@')) return true
  const joinedBefore = WORD.test(text[from] ?? '') && BEFORE.test(before) && !ANNOUNCED.test(before)
  const joinedBehind = WORD.test(text[to - 1] ?? '') && BEHIND.test(behind)
  return !joinedBefore && !joinedBehind
}
