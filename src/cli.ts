#!/usr/bin/env node
import { setMaxListeners } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { Command as Commander, CommanderError } from 'commander'
import { type Command, type CommandGroup, EXIT, type Io } from './commands/command.js'
import { loadCommands, withHelpFlag } from './commands/index.js'
import { packageJson } from './process/package.js'

// The one place that touches argv, signals and the exit code.

// Hardly any object outlives its event, and a collection by several threads costs more in coordination than it saves:
// 4.7 ms of CPU for each collection under load, against 2.0 by one thread.
setFlagsFromString('--no-parallel-scavenge')

// Every stage of every pipeline listens to the abort signals of the process, and to those derived from them. Node.js warns of
// more than ten listeners as a leak; this sets the default for everything that is created from now on.
setMaxListeners(0)

const stopping = new AbortController()
const killing = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => (stopping.signal.aborted ? killing : stopping).abort())
}
for (const stream of [process.stdout, process.stderr]) {
  // The reader of our output has closed the pipe (`headgate plugins | head`).
  stream.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.internal),
  )
}
let reportCrash = (error: Error): void => {
  process.stderr.write(`headgate threw an unexpected error, please report this:\n${error.stack}\n`)
}
process.on('uncaughtException', (error) => {
  reportCrash(error)
  process.exit(EXIT.internal)
})

const io: Io = {
  out: (text) => void process.stdout.write(text),
  outBytes: (bytes) => void process.stdout.write(bytes),
  err: (text) => void process.stderr.write(text),
  stdin: () => buffer(process.stdin),
  ask,
  terminal: {
    in: process.stdin.isTTY === true,
    out: process.stdout.isTTY === true,
    err: process.stderr.isTTY === true,
    columns: process.stdout.columns,
  },
  env: process.env,
  cwd: process.cwd(),
  signal: stopping.signal,
  onHangup: (listener) => void process.on('SIGHUP', listener),
  onWarning(listener) {
    // Until then the only listener is that of Node.js, which writes plain text to standard error.
    process.removeAllListeners('warning')
    process.on('warning', listener)
  },
  kill: killing.signal,
  onCrash: (report) => {
    reportCrash = report
  },
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

let dialogue: Promise<Io['ask']> | undefined

const exitCode = await main(withHelpFlag(process.argv.slice(2)))
// Output that does not fit into a pipe waits in this process, and `exit` would lose it.
for (const stream of [process.stdout, process.stderr])
  await new Promise<void>((flushed) => stream.write('', () => flushed()))
process.exit(exitCode)

async function ask(question: string): Promise<string | undefined> {
  // One reader for all questions: lines that are pasted at once answer several.
  dialogue ??= openDialogue()
  return (await dialogue)(question)
}

async function openDialogue(): Promise<Io['ask']> {
  const { createInterface } = await import('node:readline/promises')
  const reader = createInterface({ input: process.stdin, output: process.stdout })
  // A terminal that is read line by line hands Ctrl-C to the reader.
  reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  stopping.signal.addEventListener('abort', () => reader.close())
  const lines = reader[Symbol.asyncIterator]()
  return async (question) => {
    reader.setPrompt(question)
    reader.prompt()
    const { value, done } = await lines.next()
    if (done !== true) return value
    process.stdout.write('\n')
    return undefined
  }
}

async function main(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.ok
  const { description, version } = packageJson()
  const program = new Commander('headgate')
    .description(description)
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for usage)')
    .helpCommand(false)
  const add = (parent: Commander, command: Command | CommandGroup): void => {
    const hidden = 'hidden' in command
    const parsed = parent.command(command.name, { hidden }).description(command.summary).exitOverride()
    if (command.details !== undefined) parsed.addHelpText('after', `\n${command.details}`)
    if ('commands' in command) {
      parsed.helpCommand(false)
      for (const member of command.commands) add(parsed, member)
      return
    }
    for (const { name, description } of command.arguments ?? []) parsed.argument(name, description)
    for (const option of command.options ?? []) {
      if (option.repeatable) parsed.option(option.flags, option.description, collect)
      else parsed.option(option.flags, option.description, option.default)
    }
    parsed.action(async (...parameters: unknown[]) => {
      const { length: count } = command.arguments ?? []
      const options = parameters[count] as { [name: string]: unknown }
      const texts = parameters.slice(0, count).flat() as (string | undefined)[]
      code = await command.run({ arguments: texts, options }, io)
    })
  }
  for (const command of await loadCommands(argv[0])) add(program, command)
  try {
    if (argv.length === 0) {
      program.outputHelp()
      return EXIT.usage
    }
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    throw error
  }
}
