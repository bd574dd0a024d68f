import { nearest } from '../config/problem.js'
import { printable } from '../lib/terminal/printable.js'
import type { Command, CommandGroup } from './command.js'
import { EXIT } from './command.js'
import { type Entry, helpEntries, TOPICS } from './help-entries.js'

type LoadCommands = () => Promise<readonly (Command | CommandGroup)[]>

/** `headgate help COMMAND` is `headgate COMMAND --help`: `cli.ts` sees to that before this command runs. */
export const helpCommand = (loadCommands: LoadCommands): Command => ({
  name: 'help',
  summary: 'Explains an error code, a warning, a command or a topic.',
  details: `Examples:
  headgate help HG_SCHEMA_VIOLATION   meaning, what to do, kind and HTTP status of an error code
  headgate help HG_KAFKA              all error codes that begin so
  headgate help partition-shared      the meaning of a warning of "headgate validate"
  headgate help dlq replay            the same as "headgate dlq replay --help"`,
  arguments: [{ name: '[topic...]', description: 'An error code, a warning, a command or a topic.' }],
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
    const hint = near === undefined ? '"headgate help" lists what there is.' : `Did you mean "${near}"?`
    io.err(`There is no command, error code, warning or topic "${printable(topic)}". ${hint}\n`)
    return EXIT.usage
  },
})

function overview(commands: readonly (Command | CommandGroup)[]): string {
  const described = commands.map(({ name, summary }) => ({ name, summary }))
  return [
    'Commands ("headgate help COMMAND" tells more):',
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
