import type { Command, CommandArgument, CommandGroup, CommandOption } from '../command.js'

/** The values that a shell offers: these, paths, the pipelines of the config, or nothing. */
export type Values = readonly string[] | 'files' | 'pipelines' | 'none'

export interface Flag {
  /** With its dashes. */
  readonly name: string
  readonly description: string
  /** Undefined if it takes no value. */
  readonly values: Values | undefined
  readonly repeatable: boolean
}

/** A command with its flags, or a group with its commands. */
export interface Node {
  /** The words after `headgate`, such as `dlq list`; empty for `headgate` itself. */
  readonly path: string
  readonly flags: readonly Flag[]
  /** Commands that may follow. */
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  /** The values of its arguments. */
  readonly values: Values
}

/** The declarations of the commands as shells complete them, `headgate` itself first. */
export function grammarOf(all: readonly (Command | CommandGroup)[]): readonly Node[] {
  const commands = all.filter((command) => !('hidden' in command && command.hidden))
  const root: Node = {
    path: '',
    flags: [HELP, { ...HELP, name: '--version', description: 'Prints the version' }],
    commands: commands.map(described),
    values: 'none',
  }
  return [root, ...commands.flatMap((command) => nodesOf(command, commands))]
}

const HELP: Flag = {
  name: '--help',
  description: 'Explains the command',
  values: undefined,
  repeatable: false,
}

function nodesOf(
  command: Command | CommandGroup,
  all: readonly (Command | CommandGroup)[],
  parent = '',
): Node[] {
  const path = parent === '' ? command.name : `${parent} ${command.name}`
  if ('commands' in command) {
    const group: Node = { path, flags: [HELP], commands: command.commands.map(described), values: 'none' }
    return [group, ...command.commands.flatMap((member) => nodesOf(member, all, path))]
  }
  const flags = [...(command.options ?? []).map(flagOf), HELP]
  const [argument] = command.arguments ?? []
  const values = argument === undefined ? 'none' : valuesOf(argument.name, argument)
  // Its declaration cannot name the commands, which are loaded after it.
  const names = command.name === 'help' ? all.map(({ name }) => name) : []
  return [{ path, flags, commands: [], values: typeof values === 'string' ? values : [...names, ...values] }]
}

const described = ({ name, summary }: Command | CommandGroup) => ({
  name,
  description: firstSentence(summary),
})

function flagOf(option: CommandOption): Flag {
  const [name = '', value] = option.flags.split(' ')
  return {
    name,
    description: firstSentence(option.description),
    values: value === undefined ? undefined : name === '--pipeline' ? 'pipelines' : valuesOf(value, option),
    repeatable: option.repeatable === true,
  }
}

/** Words in brackets that stand for paths. */
const PATHS = /^[<[](?:file|folder|path|new|event|source)(?:\.\.\.)?[>\]]$|^\[files\.\.\.\]$/

const valuesOf = (name: string, { choices }: Pick<CommandArgument, 'choices'>): Values =>
  choices ?? (PATHS.test(name) ? 'files' : 'none')

/** Without its full stop. */
const firstSentence = (text: string): string => text.replace(/(?:\. .*|[.]| \[HEADGATE_.*)$/s, '')
