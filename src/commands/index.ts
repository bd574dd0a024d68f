import type { Command, CommandGroup } from './command.js'

/** In the order of the help. Loaded lazily: otherwise `run` would spend part of its start on all other commands. */
const COMMANDS: { readonly [name: string]: () => Promise<Command | CommandGroup> } = {
  run: async () => (await import('./run.js')).runCommand,
  init: async () => (await import('./init/index.js')).initCommand,
  validate: async () => (await import('./validate.js')).validateCommand,
  explain: async () => (await import('./explain.js')).explainCommand,
  diff: async () => (await import('./diff.js')).diffCommand,
  test: async () => (await import('./test.js')).testCommand,
  plugins: async () => (await import('./plugins.js')).pluginsCommand,
  senders: async () => (await import('./senders.js')).sendersCommand,
  topics: async () => (await import('./topics.js')).topicsCommand,
  tap: async () => (await import('./tap.js')).tapCommand,
  ledger: async () => (await import('./ledger.js')).ledgerCommand,
  dlq: async () => (await import('./dlq/index.js')).dlqCommand,
  help: async () => (await import('./help.js')).helpCommand(loadCommands),
  completion: async () => (await import('./completion/index.js')).completionCommand(loadCommands),
  demo: async () => (await import('./demo.js')).demoCommand,
  sandbox: async () => (await import('./sandbox.js')).sandboxCommand,
  'check-config': async () => (await import('./check-config.js')).checkConfigCommand,
  'dry-run': async () => (await import('./dry-run.js')).dryRunCommand,
  'dead-letters': async () => (await import('./dead-letters.js')).deadLettersCommand,
  worker: async () => (await import('./worker.js')).workerCommand,
}

/** Turns `headgate help COMMAND ...` into `headgate COMMAND ... --help`. */
export const withHelpFlag = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'help' && Object.hasOwn(COMMANDS, argv[1] ?? '') ? [...argv.slice(1), '--help'] : argv

/** The command with that name, or all commands if there is none. */
export async function loadCommands(name = ''): Promise<readonly (Command | CommandGroup)[]> {
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS)
  return Promise.all(wanted.flatMap((load) => load?.() ?? []))
}
