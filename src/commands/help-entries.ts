import { LINTS } from '../config/lint-names.js'
import { ERROR_KINDS, ERRORS, type ErrorCode } from '../contract/errors.js'
import type { LintMeaning } from '../contract/index.js'
import { pairs } from '../lib/terminal/facts.js'
import { plugins } from '../plugins/index.js'
import { SETTINGS } from '../process/settings.js'

/** Something that `headgate help NAME` explains. */
export interface Entry {
  readonly name: string
  readonly summary: string
  text(): string
}

export const TOPICS: readonly Entry[] = [
  {
    name: 'errors',
    summary: 'All error codes.',
    text: () => listed(errorEntries()),
  },
  {
    name: 'warnings',
    summary: 'All warnings of "headgate validate".',
    text: () => listed(warningEntries()),
  },
  {
    name: 'settings',
    summary: 'Environment variables and flags of the process, with their defaults.',
    text: () =>
      pairs(
        Object.values(SETTINGS).map(({ env, arg, doc, default: preset }) => [
          env,
          `${doc}\n--${arg}, default ${preset === '' ? 'none' : preset}`,
        ]),
      ).join('\n'),
  },
  {
    name: 'exit-codes',
    summary: 'The exit codes of the commands.',
    text: () =>
      pairs([
        ['0', 'Everything is fine.'],
        ['1', 'The thing asked about is wrong, or a run failed.'],
        ['2', 'Wrong usage: a flag, an argument or a setting of the process.'],
        ['70', 'A fault of Headgate itself. Please report it.'],
        ['78', 'The config cannot be used. Starting again does not help.'],
      ]).join('\n'),
  },
]

/** Topics, error codes and warnings. */
export const helpEntries = (): readonly Entry[] => [...TOPICS, ...errorEntries(), ...warningEntries()]

const listed = (entries: readonly Entry[]): string =>
  pairs(entries.map(({ name, summary }) => [name, summary])).join('\n')

const errorEntries = (): Entry[] =>
  Object.entries(ERRORS).map(([name, { meaning }]) => ({
    name,
    summary: meaning,
    text: () => explainedError(name as ErrorCode),
  }))

function explainedError(code: ErrorCode): string {
  const { kind, status, meaning, action } = ERRORS[code]
  const facts = pairs([
    ['meaning', meaning],
    ['to do', action],
    ['kind', `${kind}. ${ERROR_KINDS[kind]}`],
    ['status', status === undefined ? 'none: no sender sees this code' : `${status}, as the HTTP response`],
  ])
  return [code, '', ...facts].join('\n')
}

function warningEntries(): Entry[] {
  const ofPlugins = plugins.flatMap(({ kind, name, lints }) =>
    Object.entries(lints ?? {}).map(([lint, told]) => warningEntry(lint, told, `the ${kind} ${name}`)),
  )
  return [
    ...Object.entries(LINTS).map(([name, told]) => warningEntry(name, told, 'the whole file')),
    ...ofPlugins,
  ]
}

const warningEntry = (name: string, { meaning, why, outside }: LintMeaning, of: string): Entry => ({
  name,
  summary: meaning,
  text: () =>
    [
      name,
      '',
      ...pairs([
        ['meaning', meaning],
        ['why', why],
        [
          'kind',
          `A warning about ${of}; ${outside ? 'found by' : 'shown by'} "headgate validate${outside ? ' --against-cluster' : ''}".`,
        ],
        [
          'silence',
          `"// headgate-ignore: ${name} the reason" on the line that is named, or on the line before it.`,
        ],
      ]),
    ].join('\n'),
})
