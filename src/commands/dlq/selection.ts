import { ERRORS } from '../../contract/errors.js'
import { FILTERS, type LetterFilter, readFilter } from '../../dead-letters/filter.js'
import { readLetterRef } from '../../dead-letters/letter.js'
import { TIME_FORMS } from '../../lib/typed-time.js'
import type { CommandInput, CommandOption } from '../command.js'
import { settingOptions } from '../load.js'

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
  { flags: '--text <text>', description: 'Only those with this text in the id, the code or the message.' },
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
  const limit = options['limit'] as string | undefined
  if (limit !== undefined && !/^[1-9][0-9]{0,8}$/.test(limit))
    problems.push(`--limit should be a whole number from 1; it is ${quoted(limit)}.`)
  const typed = Object.fromEntries(FILTERS.map((name) => [name, options[name] as string | undefined]))
  const read = readFilter(typed, now, (name) => `--${name}`)
  problems.push(...read.problems)
  if (problems.length > 0) return { ok: false, problems }
  const selection = {
    filter: { ...read.filter, ...(named.length > 0 && { refs: named }) },
    onlyPassing: options['onlyPassing'] === true,
    includeSettled: options['all'] === true,
    ...(limit !== undefined && { limit: Number(limit) }),
  }
  return { ok: true, selection }
}

export const wrongPlace = (typed: string): string =>
  `The position of a dead letter should be its partition and offset such as 0:12, or topic:0:12; it is ${quoted(typed)}.`

const quoted = (text: string): string => JSON.stringify(text)
