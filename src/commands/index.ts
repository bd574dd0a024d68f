import type { Command, CommandGroup } from './command.js'

/** In the order of the help. Each is loaded when it is asked for: `run` would spend a part of its start on all others. */
const COMMANDS: { readonly [name: string]: () => Promise<Command | CommandGroup> } = {
  run: async () => (await import('./run.js')).runCommand,
  validate: async () => (await import('./validate.js')).validateCommand,
  explain: async () => (await import('./explain.js')).explainCommand,
  diff: async () => (await import('./diff.js')).diffCommand,
  test: async () => (await import('./test.js')).testCommand,
  plugins: async () => (await import('./plugins.js')).pluginsCommand,
  topics: async () => (await import('./topics.js')).topicsCommand,
  tap: async () => (await import('./tap.js')).tapCommand,
  ledger: async () => (await import('./ledger.js')).ledgerCommand,
  dlq: async () => (await import('./dlq/index.js')).dlqCommand,
  help: async () => (await import('./help.js')).helpCommand(loadCommands),
  sandbox: async () => (await import('./sandbox.js')).sandboxCommand,
  answer: async () => (await import('./check-config.js')).answerCommand,
  worker: async () => (await import('./worker.js')).workerCommand,
}

/** `headgate help COMMAND ...` asks for what `headgate COMMAND ... --help` prints. */
export const withHelpFlag = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'help' && Object.hasOwn(COMMANDS, argv[1] ?? '') ? [...argv.slice(1), '--help'] : argv

/** The command of that name alone, or all of them where no command has it. */
export async function loadCommands(name = ''): Promise<readonly (Command | CommandGroup)[]> {
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS)
  return Promise.all(wanted.flatMap((load) => load?.() ?? []))
}
