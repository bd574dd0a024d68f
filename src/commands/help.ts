import { LINTS } from '../config/lint-names.js'
import { nearest } from '../config/problem.js'
import { ERROR_KINDS, ERRORS, type ErrorCode } from '../contract/errors.js'
import type { LintMeaning } from '../contract/index.js'
import { pairs, printable } from '../lib/terminal/text.js'
import { plugins } from '../plugins/index.js'
import { flagOf, SETTINGS } from '../process/settings.js'
import { type Command, type CommandGroup, EXIT } from './command.js'

type LoadCommands = () => Promise<readonly (Command | CommandGroup)[]>

/** `headgate help COMMAND` never gets here: `cli.ts` turns it into `headgate COMMAND --help`. */
export const helpCommand = (loadCommands: LoadCommands): Command => ({
  name: 'help',
  summary: 'Explains an error code, a warning, a command or a topic.',
  details: `Examples:
  headgate help HG_SCHEMA_VIOLATION   meaning, what to do, kind and HTTP status of an error code
  headgate help HG_KAFKA              all error codes that begin with HG_KAFKA
  headgate help partition-shared      the meaning of a warning of "headgate validate"
  headgate help dlq replay            the same as "headgate dlq replay --help"`,
  arguments: [
    {
      name: '[topic...]',
      description: 'An error code, a warning, a command or a topic.',
      choices: helpEntries().map(({ name }) => name),
    },
  ],
  async run({ arguments: words }, io) {
    const topic = words.flatMap((word) => word ?? []).join(' ')
    const commands = (await loadCommands()).filter((command) => !('hidden' in command && command.hidden))
    if (topic === '') {
      io.out(overview(commands))
      return EXIT.ok
    }
    const entries = helpEntries()
    const wanted = topic.toLowerCase()
    const entry = entries.find(({ name }) => name.toLowerCase() === wanted)
    if (entry !== undefined) {
      io.out(`${entry.text()}\n`)
      return EXIT.ok
    }
    const beginning = entries.filter(({ name }) => name.toLowerCase().startsWith(wanted))
    if (beginning.length > 0) {
      io.out(listing(beginning))
      return EXIT.ok
    }
    const names = [...entries.map(({ name }) => name), ...commands.map(({ name }) => name)]
    const near = nearest(topic, names)
    const hint = near === undefined ? '"headgate help" lists everything.' : `Did you mean "${near}"?`
    io.err(`There is no command, error code, warning or topic "${printable(topic)}". ${hint}\n`)
    return EXIT.usage
  },
})

function overview(commands: readonly (Command | CommandGroup)[]): string {
  const described = commands.map(({ name, summary }) => ({ name, summary }))
  return [
    'Commands ("headgate help COMMAND" for details):',
    listing(described),
    'Topics:',
    listing(TOPICS),
    '"headgate help HG_..." explains an error code, "headgate help NAME" a warning of "headgate validate".',
    '',
  ].join('\n')
}

function listing(entries: readonly Pick<Entry, 'name' | 'summary'>[]): string {
  const wide = Math.max(...entries.map(({ name }) => name.length))
  return entries.map(({ name, summary }) => `  ${name.padEnd(wide)}  ${summary}\n`).join('')
}

/** An entry that `headgate help NAME` explains. */
export interface Entry {
  readonly name: string
  readonly summary: string
  text(): string
}

export const TOPICS: readonly Entry[] = [
  {
    name: 'errors',
    summary: 'All error codes.',
    text: () => formatEntries(errorEntries()),
  },
  {
    name: 'warnings',
    summary: 'All warnings of "headgate validate".',
    text: () => formatEntries(warningEntries()),
  },
  {
    name: 'settings',
    summary: 'Environment variables and flags of the process, with their defaults.',
    text: () =>
      pairs(
        Object.values(SETTINGS).map((setting) => [
          setting.env,
          `${setting.doc}\n--${flagOf(setting)}, default ${setting.default === '' ? 'none' : setting.default}`,
        ]),
      ).join('\n'),
  },
  {
    name: 'exit-codes',
    summary: 'The exit codes of the commands.',
    text: () =>
      pairs([
        ['0', 'Success.'],
        ['1', 'The checked thing is wrong, or a run failed.'],
        ['2', 'Wrong usage: a flag, an argument or a setting of the process.'],
        ['70', 'An internal error of Headgate. Please report it.'],
        ['78', 'The config cannot be used. A restart does not help.'],
      ]).join('\n'),
  },
]

/** Topics, error codes and warnings. */
export const helpEntries = (): readonly Entry[] => [...TOPICS, ...errorEntries(), ...warningEntries()]

const formatEntries = (entries: readonly Entry[]): string =>
  pairs(entries.map(({ name, summary }) => [name, summary])).join('\n')

const errorEntries = (): Entry[] =>
  Object.entries(ERRORS).map(([name, { meaning }]) => ({
    name,
    summary: meaning,
    text: () => explainError(name as ErrorCode),
  }))

function explainError(code: ErrorCode): string {
  const { kind, status, meaning, action } = ERRORS[code]
  const facts = pairs([
    ['meaning', meaning],
    ['to do', action],
    ['kind', `${kind}. ${ERROR_KINDS[kind]}`],
    [
      'status',
      status === undefined ? 'none: it is never sent to a sender' : `${status}, as the HTTP response`,
    ],
  ])
  return [code, '', ...facts].join('\n')
}

function warningEntries(): Entry[] {
  const ofPlugins = plugins.flatMap(({ kind, name, lints }) =>
    Object.entries(lints ?? {}).map(([lint, meaning]) => warningEntry(lint, meaning, `the ${kind} ${name}`)),
  )
  return [
    ...Object.entries(LINTS).map(([name, meaning]) => warningEntry(name, meaning, 'the whole file')),
    ...ofPlugins,
  ]
}

const warningEntry = (name: string, { meaning, why, needs }: LintMeaning, of: string): Entry => ({
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
          `A warning about ${of}; ${needs === 'cluster' ? 'found by "headgate validate --against-cluster"' : 'shown by "headgate validate"'}.`,
        ],
        [
          'silence',
          `"// headgate-ignore: ${name} the reason" on the line that is named, or on the line before it.`,
        ],
      ]),
    ].join('\n'),
})
