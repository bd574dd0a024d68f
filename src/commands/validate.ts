import type { CheckedPipeline } from '../pipeline/config/check.js'
import { formatProblem } from '../pipeline/config/problem.js'
import { type Command, EXIT } from './command.js'
import { loadConfig, loadSettings, settingOptions } from './load.js'

export const validateCommand: Command = {
  name: 'validate',
  summary: 'Checks a config file without starting anything.',
  details: `Says what it understood and exits with 0, or names every problem with its place and exits with 1. It checks
exactly what "run" checks before it starts; whether Kafka has the topics is found out by "run".`,
  arguments: [
    {
      name: '[file]',
      description: 'The config file; HEADGATE_CONFIG or ./plugins.config.json where absent.',
    },
  ],
  options: settingOptions(),
  async run({ arguments: [file], options }, io) {
    const settings = loadSettings(file === undefined ? options : { ...options, config: file }, io)
    if (settings === undefined) return EXIT.usage
    const read = loadConfig(settings, io)
    if (!read.ok) {
      const { length: count } = read.problems
      io.err(
        `${read.problems.map(formatProblem).join('\n\n')}\n\n${count} ${count === 1 ? 'problem' : 'problems'}.\n`,
      )
      return EXIT.wrong
    }
    const { file: shown, revision, pipelines } = read.config
    io.out(`ok: ${shown}, revision ${revision}\n${pipelines.map(understood).join('')}`)
    return EXIT.ok
  },
}

/** What was understood, a line a stage, so that a valid but wrong config shows. */
function understood({ name, source, transforms, sink, postCommit, settings }: CheckedPipeline): string {
  const { deadLetter } = settings
  const stages = [source, ...transforms, sink, ...postCommit].map(
    ({ definition }) => `    ${definition.kind.padEnd(12)} ${definition.name}`,
  )
  const letters = deadLetter === undefined ? [] : [`    dead letters to ${deadLetter.topic}`]
  return [`  pipeline ${name}`, ...stages, ...letters, ''].join('\n')
}
