import { didYouMean } from '../../config/problem.js'
import { ERRORS } from '../../contract/errors.js'
import { type LetterFilter, readLetterRef } from '../../dead-letters/letter.js'
import type { CommandInput, CommandOption } from '../command.js'
import { settingOptions } from '../load.js'

/** The forms that `readTime` takes, for help texts and problems. */
const TIME_FORMS = '2026-01-31, "2026-01-31 08:00Z", 2026-01-31T08:00:00+02:00, 90m, 1h30m or "90m ago"'

/** The config, and a pipeline of it. */
export const PIPELINE_OPTIONS: readonly CommandOption[] = [
  ...settingOptions().filter(({ flags }) => flags.startsWith('--config ')),
  {
    flags: '--pipeline <name>',
    description: 'The pipeline; needed only if several have dead letters.',
  },
]

export const SELECTION_OPTIONS: readonly CommandOption[] = [
  ...PIPELINE_OPTIONS,
  {
    flags: '--code <code>',
    description: 'Only those with this code, such as HG_SCHEMA_VIOLATION.',
    choices: Object.keys(ERRORS),
  },
  {
    flags: '--stage <stage>',
    description: 'Only those from this stage, such as transform.0.json-schema, or from this plugin.',
  },
  { flags: '--rule <name>', description: 'Only those that this rule of a route matched.' },
  { flags: '--id <id>', description: 'Only those of the event with this id.' },
  {
    flags: '--since <time>',
    description: `Only those since this time: ${TIME_FORMS}.`,
  },
  { flags: '--until <time>', description: 'Only those up to this time; the same formats.' },
  { flags: '--only-passing', description: 'Only those that would pass with the current config.' },
  { flags: '--all', description: 'Includes those that have been replayed or discarded.' },
  { flags: '--limit <n>', description: 'Only the newest, at most so many.' },
]

/** For commands that take positions besides filters. */
export const PLACES_ARGUMENT = {
  name: '[places...]',
  description: 'Only these: partition and offset as shown by "list", such as 0:12, or topic:0:12.',
} as const

/** The dead letters that a command works on. */
export interface Selection {
  readonly filter: LetterFilter
  readonly onlyPassing: boolean
  readonly includeSettled: boolean
  readonly limit?: number
}

type ReadSelection =
  | { readonly ok: true; readonly selection: Selection }
  | { readonly ok: false; readonly problems: readonly string[] }

/** `places`: as they were typed; empty if only options select dead letters. */
export function readSelection(
  options: CommandInput['options'],
  now: number,
  places: CommandInput['arguments'] = [],
): ReadSelection {
  const problems: string[] = []
  const named = places.flatMap((typed) => {
    if (typed === undefined) return []
    const ref = readLetterRef(typed)
    if (ref === undefined) problems.push(wrongPlace(typed))
    return ref ?? []
  })
  const text = (name: string) => options[name] as string | undefined
  const time = (name: string) => {
    const typed = text(name)
    const at = typed === undefined ? undefined : readTime(typed, now)
    if (typed !== undefined && at === undefined)
      problems.push(`--${name} should be a time such as ${TIME_FORMS}; it is ${quoted(typed)}.`)
    return at
  }
  const code = text('code')
  if (code !== undefined && !(code in ERRORS)) {
    const hint =
      didYouMean(code, Object.keys(ERRORS))?.suggestion ?? '"headgate help errors" lists the codes.'
    problems.push(`There is no code ${quoted(code)}. ${hint}`)
  }
  const limit = text('limit')
  if (limit !== undefined && !/^[1-9][0-9]{0,8}$/.test(limit))
    problems.push(`--limit should be a whole number from 1; it is ${quoted(limit)}.`)
  const filter = defined({
    code,
    stage: text('stage'),
    rule: text('rule'),
    id: text('id'),
    since: time('since'),
    until: time('until'),
    refs: named.length === 0 ? undefined : named,
  })
  if (filter.since !== undefined && filter.until !== undefined && filter.since > filter.until)
    problems.push('--since is later than --until, so no dead letter can match.')
  if (problems.length > 0) return { ok: false, problems }
  const selection = {
    filter,
    onlyPassing: options['onlyPassing'] === true,
    includeSettled: options['all'] === true,
    ...(limit !== undefined && { limit: Number(limit) }),
  }
  return { ok: true, selection }
}

export const wrongPlace = (typed: string): string =>
  `The position of a dead letter should be its partition and offset such as 0:12, or topic:0:12; it is ${quoted(typed)}.`

const quoted = (text: string): string => JSON.stringify(text)

type Defined<Values> = { [name in keyof Values]?: Exclude<Values[name], undefined> }

const defined = <Values extends object>(values: Values): Defined<Values> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<Values>

const UNITS: Readonly<{ [unit: string]: number }> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
}

const PART = String.raw`\d{1,9} *[a-z]{1,8}`
const AGO = new RegExp(`^${PART}(?: *${PART})*(?: +ago)?$`)
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/

/**
 * Milliseconds since the epoch of a typed time: a date (its midnight in UTC), a date and time with its offset from UTC, `now`,
 * or how long ago. Undefined if it is none of these.
 */
export function readTime(typed: string, now: number): number | undefined {
  const text = typed.trim()
  if (text === 'now') return now
  if (AGO.test(text)) return agoOf(text, now)
  const [, year, month, day] = DATE.exec(text) ?? []
  if (year === undefined) return undefined
  // Date.parse turns the 30th of February into the 2nd of March.
  if (Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()) return undefined
  const at = Date.parse(text.replace(' ', 'T'))
  return Number.isNaN(at) ? undefined : at
}

function agoOf(text: string, now: number): number | undefined {
  let at = now
  for (const [, count, unit = ''] of text.replace(/ +ago$/, '').matchAll(/(\d+) *([a-z]+)/g)) {
    const factor = lengthOf(unit)
    if (factor === undefined) return undefined
    at -= Number(count) * factor
  }
  // No record is older than the epoch.
  return Math.max(0, at)
}

function lengthOf(unit: string): number | undefined {
  if (Object.hasOwn(UNITS, unit)) return UNITS[unit]
  const singular = unit.replace(/s$/, '')
  return singular.length > 2 && Object.hasOwn(UNITS, singular) ? UNITS[singular] : undefined
}
