import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { reason } from '../../config/files.js'
import { makeFolder } from '../../lib/make-folder.js'
import { packageFile } from '../../process/package.js'
import { type Command, type CommandInput, EXIT, type Io } from '../command.js'
import { type NewFile, newFiles } from './files.js'
import { nextCommands } from './next-commands.js'
import { answerProblem, concerns, flagName, isAsked, QUESTIONS, senderNamed } from './questions.js'
import { type Answers, SENDERS, type Sender } from './senders.js'

export const initCommand: Command = {
  name: 'init',
  summary: 'Writes a config of your own, with scenarios and the variables that it needs.',
  details: `On a terminal it asks for everything that no flag gives. In a script, give --sender and --topic, or --yes to take every
default. It writes plugins.config.json, the schema of the events, scenarios, an example event, .env.example, editor schemas, and
.env with new secrets, and prints the next commands. It overwrites nothing without --force, and never .env and .gitignore.

  headgate init --dir orders --sender bearer --topic orders --event-id /orderId

Senders:
${SENDERS.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join('\n')}`,
  options: [
    {
      flags: '--sender <name>',
      description: 'The kind of the sender.',
      choices: SENDERS.map(({ name }) => name),
    },
    ...QUESTIONS.map(({ flags, text }) => ({ flags, description: `${text}.` })),
    { flags: '--dir <folder>', description: 'The folder that gets the files.', default: '.' },
    { flags: '--yes', description: 'Asks nothing; takes the defaults of everything that no flag gives.' },
    { flags: '--force', description: 'Overwrites existing files.' },
  ],
  async run({ options }, io) {
    const problems = wrongUsage(options, io)
    if (problems.length > 0) {
      io.err(`${problems.join('\n')}\n`)
      return EXIT.usage
    }
    const answers = await collectAnswers(options, io)
    if (answers === undefined) {
      io.err('Nothing was written.\n')
      return EXIT.wrong
    }
    const folder = String(options['dir'] ?? '.')
    if (!write(newFiles(answers), folder, options['force'] === true, io)) return EXIT.wrong
    io.out(`\n${nextCommands(answers, folder, programFrom(io.cwd))}`)
    return EXIT.ok
  },
}

/** A checkout has a script that starts Headgate, and is not on the PATH; the packages have none. */
function programFrom(cwd: string): string {
  const script = packageFile('headgate')
  if (!existsSync(script)) return 'headgate'
  const path = relative(cwd, script)
  return path.startsWith('..') ? script : `./${path}`
}

const DEFAULT_SENDER = 'bearer'

const asks = (options: CommandInput['options'], { terminal }: Io): boolean =>
  options['yes'] !== true && terminal.in && terminal.out

/** Everything that is wrong with the flags. */
function wrongUsage(options: CommandInput['options'], io: Io): string[] {
  const problems: string[] = []
  if (options['yes'] !== true && !asks(options, io)) {
    const missing = ['sender', 'topic'].filter((name) => options[name] === undefined)
    if (missing.length > 0)
      problems.push(
        `There is no terminal to ask on. Give ${missing.map((name) => `--${name}`).join(' and ')}, or --yes to take the defaults.`,
      )
  }
  const sender = options['sender'] === undefined ? undefined : senderNamed(String(options['sender']))
  if (typeof sender === 'string') problems.push(sender)
  for (const question of QUESTIONS) {
    const answer = options[question.name]
    if (answer === undefined) continue
    const problem = answerProblem(question, flagName(question), String(answer))
    if (problem !== undefined) problems.push(problem)
    if (typeof sender === 'object' && !concerns(question, sender))
      problems.push(`${flagName(question)} has no meaning for the sender ${sender.name}.`)
  }
  return problems
}

/** From the flags, the terminal and the defaults; undefined if the operator ends the questions. */
async function collectAnswers(options: CommandInput['options'], io: Io): Promise<Answers | undefined> {
  const isAsking = asks(options, io)
  const sender = await chooseSender(options['sender'] as string | undefined, isAsking, io)
  if (sender === undefined) return undefined
  // Filled in the order of the questions, so that each sees the answers before it.
  const answers = { sender } as { -readonly [name in keyof Answers]: Answers[name] }
  for (const question of QUESTIONS) {
    if (options[question.name] === undefined && !isAsked(question, sender)) continue
    const preset = sender.defaults?.[question.name] ?? question.preset(answers)
    const flag = options[question.name] as string | undefined
    const answer =
      flag ??
      (isAsking
        ? await askUntil(question.text, preset, (text) => answerProblem(question, 'It', text), io)
        : preset)
    if (answer === undefined) return undefined
    answers[question.name] = answer
  }
  return answers
}

async function chooseSender(
  flag: string | undefined,
  isAsking: boolean,
  io: Io,
): Promise<Sender | undefined> {
  const problem = (name: string): string | undefined => {
    const found = senderNamed(name)
    return typeof found === 'string' ? found : undefined
  }
  if (flag === undefined && isAsking)
    io.out(`Senders:\n${SENDERS.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}\n`).join('')}\n`)
  const name = flag ?? (isAsking ? await askUntil('Sender', DEFAULT_SENDER, problem, io) : DEFAULT_SENDER)
  const sender = name === undefined ? undefined : senderNamed(name)
  return typeof sender === 'string' ? undefined : sender
}

/** Asks until the answer is valid; an empty answer is the default. Undefined if the input ends. */
async function askUntil(
  question: string,
  preset: string,
  problemOf: (answer: string) => string | undefined,
  io: Io,
): Promise<string | undefined> {
  for (;;) {
    const line = await io.ask(`${question} [${preset}]: `)
    if (line === undefined) return undefined
    const answer = line.trim() || preset
    const problem = problemOf(answer)
    if (problem === undefined) return answer
    io.err(`${problem}\n`)
  }
}

/** Writes all files, or none if one of them exists; false after printing the reason. */
function write(files: readonly NewFile[], folder: string, force: boolean, io: Io): boolean {
  const pathOf = ({ path }: NewFile) => join(folder, path)
  const existing = files.filter((file) => existsSync(resolve(io.cwd, pathOf(file))))
  const inTheWay = existing.filter(({ kept }) => kept !== true)
  if (inTheWay.length > 0 && !force) {
    const names = inTheWay.map((file) => `  ${pathOf(file)}\n`).join('')
    io.err(`These files exist; --force overwrites them, and --dir names another folder:\n${names}`)
    return false
  }
  for (const file of files) {
    const path = resolve(io.cwd, pathOf(file))
    if (file.kept && existing.includes(file)) {
      io.out(`kept     ${pathOf(file)}\n`)
      continue
    }
    try {
      makeFolder(dirname(path))
      // Between the check above and here, somebody else may have made the file.
      writeFileSync(path, file.text, { flag: force ? 'w' : 'wx', mode: file.secret ? 0o600 : 0o666 })
    } catch (error) {
      io.err(`Cannot write ${pathOf(file)}: ${reason(error)}.\n`)
      return false
    }
    io.out(`written  ${pathOf(file)}\n`)
  }
  return true
}
