import type { CheckedPipeline } from '../config/checked-pipeline.js'
import { type ProbeLine, type ProbeReport, probe } from '../config/probe.js'
import type { CheckedConfig, ReadResult } from '../config/read.js'
import { milliseconds } from '../lib/units.js'
import { runTrials } from '../pipeline/trial.js'
import { type Command, EXIT, type Io } from './command.js'
import { loadConfig, loadSettings, settingOptions } from './load.js'
import { findingsOf, problemReport, problemsAsJson, problemsForGithub } from './problems.js'

export const validateCommand: Command = {
  name: 'validate',
  summary: 'Checks a config file without starting anything.',
  details: `Prints the pipelines and their stages and exits with 0, or prints every problem with its location and exits with 1.
It does the same checks as "run" before it starts, and connects to nothing. Warnings are about things that are allowed but
probably a mistake; "// headgate-ignore: NAME why" on the line before silences one. "headgate help warnings" lists them.

With --against-cluster, if the file is valid, it also checks the external systems: whether brokers can be reached and accept
the login, whether topics and partitions exist and can be written to, how many replicas they have, and whether the token
endpoint issues a token. Nothing is written and nothing is acknowledged. Checks that could not be done are listed with the reason.`,
  arguments: [
    {
      name: '[file]',
      description: 'The config file. Default: HEADGATE_CONFIG or ./plugins.config.json.',
    },
  ],
  options: [
    {
      flags: '--format <format>',
      description: 'text, json (one document), or github (annotations for GitHub Actions).',
      default: 'text',
      choices: ['text', 'json', 'github'],
    },
    { flags: '--strict', description: 'Exits with 1 if there are warnings.' },
    {
      flags: '--against-cluster',
      description: 'Also checks that Kafka and the sender are as the config needs them.',
    },
    {
      flags: '--timeout <duration>',
      description: 'How long --against-cluster may take, such as 30s.',
      default: '10s',
    },
    ...settingOptions(),
  ],
  async run({ arguments: [file], options }, io) {
    const { format = 'text', strict, againstCluster, timeout = '10s' } = options
    const print = PRINT.get(String(format))
    if (print === undefined) {
      io.err(`--format should be one of ${[...PRINT.keys()].join(', ')}; it is ${JSON.stringify(format)}.\n`)
      return EXIT.usage
    }
    if (!DURATION.test(String(timeout))) {
      io.err(`--timeout should be a duration such as 10s; it is ${JSON.stringify(timeout)}.\n`)
      return EXIT.usage
    }
    const settings = loadSettings(file === undefined ? options : { ...options, config: file }, io)
    if (settings === undefined) return EXIT.usage
    const read = await runTrials(await loadConfig(settings, io))
    const outside =
      read.ok && againstCluster === true
        ? await probe(read.config, {
            timeout: milliseconds(String(timeout)),
            workers: settings.workers,
            signal: io.signal,
          })
        : undefined
    const counted = findingsOf(read, outside).filter(
      ({ severity }) => strict === true || severity === 'error',
    )
    const ok = counted.length === 0
    print({ read, outside, ok }, io)
    return ok ? EXIT.ok : EXIT.wrong
  },
}

/** At most a day: longer would be a mistake. */
const DURATION = /^[1-9][0-9]{0,4}(ms|s)$|^[1-9][0-9]{0,2}m$/

interface Result {
  readonly read: ReadResult
  /** Undefined without --against-cluster. */
  readonly outside: ProbeReport | undefined
  readonly ok: boolean
}

type Print = (result: Result, io: Io) => void

const PRINT: ReadonlyMap<string, Print> = new Map<string, Print>([
  [
    'text',
    ({ read, outside, ok }, io) => {
      if (findingsOf(read, outside).length > 0) io.err(problemReport(read, io, outside))
      if (read.ok && ok) io.out(formatConfig(read.config))
      if (outside !== undefined) (ok ? io.out : io.err)(formatProbe(outside))
    },
  ],
  ['json', ({ read, outside, ok }, io) => io.out(problemsAsJson(read, ok, outside))],
  ['github', ({ read, outside }, io) => io.out(problemsForGithub(read, outside))],
])

/** The checks of the external systems, one line each, and those that could not be done. */
function formatProbe({ checked, unchecked }: ProbeReport): string {
  const lines = (title: string, of: readonly ProbeLine[]) =>
    of.length === 0
      ? []
      : [`${title}:`, ...of.map(({ pipeline, plugin, message }) => `  ${pipeline} ${plugin}: ${message}`)]
  return [...lines('checked', checked), ...lines('not checked', unchecked), ''].join('\n')
}

/** One line per stage, so that a config that is valid but not the intended one can be noticed. */
const formatConfig = ({ file, revision, pipelines }: CheckedConfig): string =>
  `ok: ${file}, revision ${revision}\n${pipelines.map(formatPipeline).join('')}`

function formatPipeline({ name, source, transforms, sink, postCommit, settings }: CheckedPipeline): string {
  const { deadLetter } = settings
  const stages = [source, ...transforms, sink, ...postCommit].map(
    ({ definition }) => `    ${definition.kind.padEnd(12)} ${definition.name}`,
  )
  const letters = deadLetter === undefined ? [] : [`    dead letters to ${deadLetter.topic}`]
  return [`  pipeline ${name}`, ...stages, ...letters, ''].join('\n')
}
