import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'jsonc-parser'
import { printable } from '../../lib/terminal/text.js'
import { type Command, type CommandGroup, EXIT, type Io } from '../command.js'
import { loadSettings } from '../load.js'
import { bashCompletion } from './bash.js'
import { fishCompletion } from './fish.js'
import { grammarOf, type Node } from './grammar.js'
import { zshCompletion } from './zsh.js'

const SCRIPTS: ReadonlyMap<string, (grammar: readonly Node[]) => string> = new Map([
  ['bash', bashCompletion],
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
])

export const completionCommand = (
  loadCommands: () => Promise<readonly (Command | CommandGroup)[]>,
): Command => ({
  name: 'completion',
  summary: 'Prints a script with which bash, zsh or fish completes commands, flags and their values.',
  details: `For the next shell and all after it:
  bash  echo 'source <(headgate completion bash)' >> ~/.bashrc
  zsh   echo 'source <(headgate completion zsh)' >> ~/.zshrc     (after compinit)
  fish  headgate completion fish > ~/.config/fish/completions/headgate.fish

"headgate completion pipelines" prints the names of the pipelines of the config; the scripts call it.`,
  arguments: [{ name: '<shell>', description: 'bash, zsh or fish.', choices: [...SCRIPTS.keys()] }],
  async run({ arguments: [shell = ''] }, io) {
    if (shell === 'pipelines') return printPipelines(io)
    const script = SCRIPTS.get(shell)
    if (script === undefined) {
      io.err(
        `There is no completion for "${printable(shell)}". Expected one of ${[...SCRIPTS.keys()].join(', ')}.\n`,
      )
      return EXIT.usage
    }
    io.out(script(grammarOf(await loadCommands())))
    return EXIT.ok
  },
})

/** Reads the names alone: somebody who presses a key does not wait for plugins to be loaded. */
function printPipelines(io: Io): number {
  const settings = loadSettings({}, io)
  if (settings === undefined) return EXIT.usage
  try {
    const { pipelines } = Object(parse(readFileSync(resolve(io.cwd, settings.config), 'utf8')))
    for (const name of Object.keys(Object(pipelines))) if (/^[\w.-]+$/.test(name)) io.out(`${name}\n`)
    return EXIT.ok
  } catch {
    return EXIT.wrong
  }
}
