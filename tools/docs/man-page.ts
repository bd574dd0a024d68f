import type { Command, CommandGroup, CommandOption } from '../../src/commands/command.js'
import { TOPICS } from '../../src/commands/help.js'
import { flagOf, SETTINGS, type Setting } from '../../src/process/settings.js'

interface Package {
  readonly version: string
  readonly description: string
}

/** The manual page `headgate.1`, in the macros of man(7), from the declarations of commands and settings. */
export function manPage(all: readonly (Command | CommandGroup)[], { version, description }: Package): string {
  const commands = all.filter((command) => !('hidden' in command && command.hidden))
  return [
    '.\\" Generated from src/commands and src/process/settings.ts; change it there.',
    `.TH HEADGATE 1 "" "headgate ${version}" "User Commands"`,
    '.SH NAME',
    `headgate \\- ${escaped(description.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    ...synopsis(commands.flatMap((command) => members(command, ''))).slice(1),
    '.SH COMMANDS',
    ...commands.flatMap((command) => members(command, '')).flatMap(section),
    '.SH ENVIRONMENT',
    'Each setting of the process is a variable, too. A flag overrides it.',
    ...Object.values<Setting<string> | Setting<number> | Setting<boolean>>(SETTINGS).flatMap(variable),
    '.SH EXIT STATUS',
    ...exitCodes(),
    '.SH FILES',
    ...tagged(
      'plugins.config.json',
      'The config: pipelines and their stages. HEADGATE_CONFIG names another file.',
    ),
    ...tagged('.headgate', 'The state directory. HEADGATE_STATE_DIR names another folder.'),
    '',
  ].join('\n')
}

interface Member {
  readonly path: string
  readonly command: Command | CommandGroup
}

const members = (command: Command | CommandGroup, parent: string): Member[] => {
  const path = `${parent}${command.name}`
  const inner = 'commands' in command ? command.commands : []
  return [{ path, command }, ...inner.flatMap((member) => members(member, `${path} `))]
}

const synopsis = (all: readonly Member[]): string[] =>
  all.flatMap(({ path, command }) => {
    if ('commands' in command) return []
    const words = (command.arguments ?? []).map(({ name }) => ` \\fI${escaped(name)}\\fR`)
    return ['.br', `.B headgate ${path}`, `[\\fIoptions\\fR]${words.join('')}`]
  })

function section({ path, command }: Member): string[] {
  const named = 'commands' in command ? [] : (command.arguments ?? [])
  const options = 'commands' in command ? [] : (command.options ?? [])
  return [
    `.SS headgate ${path}`,
    ...prose(command.summary),
    ...(command.details === undefined ? [] : ['.PP', ...prose(command.details)]),
    ...named.flatMap(({ name, description }) => tagged(name, description)),
    ...options.flatMap(option),
  ]
}

function option({ flags, description, default: preset, choices = [] }: CommandOption): string[] {
  const extra = typeof preset === 'string' ? ` Default: ${preset}.` : ''
  // A long list of values, such as the error codes, is for `headgate help`.
  const isSaid = choices.every((choice) => description.includes(choice))
  const values = isSaid || choices.length > 10 ? '' : ` One of: ${choices.join(', ')}.`
  return tagged(flags, `${description}${values}${extra}`)
}

const variable = (setting: Setting<string> | Setting<number> | Setting<boolean>): string[] =>
  tagged(
    setting.env,
    `${setting.doc} Flag: --${flagOf(setting)}. Default: ${setting.default === '' ? 'none' : setting.default}.`,
  )

function exitCodes(): string[] {
  const text = TOPICS.find(({ name }) => name === 'exit-codes')?.text() ?? ''
  return text.split('\n').flatMap((line) => {
    const [, code = '', meaning = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    return tagged(code, meaning)
  })
}

const tagged = (tag: string, text: string): string[] => ['.TP', `\\fB${escaped(tag)}\\fR`, ...prose(text)]

/** Paragraphs are filled; indented lines are examples or lists, and stay as they are. */
function prose(text: string): string[] {
  const written: string[] = []
  let last: 'start' | 'blank' | 'plain' | 'indented' = 'start'
  for (const line of text.split('\n')) {
    const kind = line === '' ? 'blank' : line.startsWith(' ') ? 'indented' : 'plain'
    if (last === 'indented' && kind !== 'indented') written.push('.fi')
    if (kind !== 'blank' && kind !== last && last !== 'start') written.push('.PP')
    if (kind === 'indented' && last !== 'indented') written.push('.nf')
    if (kind !== 'blank') written.push(escaped(line))
    last = kind
  }
  return last === 'indented' ? [...written, '.fi'] : written
}

/** A line that begins with a dot or an apostrophe would be a request. */
const escaped = (line: string): string =>
  line.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/, '\\&$&')
