import type { Problem } from '../config/problem.js'
import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Diff } from '../dry-run/compare.js'
import { DryRun } from '../dry-run/dry-run.js'
import {
  bodyOf,
  type CompareRequest,
  type DryRunQuestion,
  type DryRunReply,
  type ScenarioText,
  type TriedEvent,
} from '../dry-run/dry-run-process.js'
import { explain, explanationJson } from '../dry-run/explanation.js'
import { lineRedactor } from '../process/redact.js'
import { record, scenarioFile } from '../scenarios/record.js'
import { type Command, EXIT, type Io } from './command.js'
import { compareConfigs } from './diff.js'
import { eventsFromTopics } from './diff-input.js'
import { loadConfig } from './load.js'

export const dryRunCommand: Command = {
  name: 'dry-run',
  summary:
    'Runs events through the stages of a config, for the admin API of `headgate run`, which starts this command.',
  hidden: true,
  async run(_, io) {
    const question = JSON.parse(String(await io.stdin())) as DryRunQuestion
    io.out(await reply(question, io))
    return EXIT.ok
  },
}

/** Secrets of the config are replaced: a browser gets the reply. */
async function reply(question: DryRunQuestion, io: Io): Promise<string> {
  let redact = (text: string): string => text
  const text = (value: DryRunReply) => redact(JSON.stringify(value))
  try {
    const config = await runningConfig(question, io)
    redact = lineRedactor(config.secrets)
    return text({ ok: true, result: await resultOf(question, config, io) })
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError)) throw thrown
    return text({ ok: false, code: thrown.code, message: thrown.message })
  }
}

/** As it runs, and not as its files are now. */
async function runningConfig({ settings, files }: DryRunQuestion, io: Io): Promise<CheckedConfig> {
  const { contents, ...checked } = files
  const read = await loadConfig(settings, io, { contents: new Map(contents), checked })
  if (read.ok) return read.config
  throw invalid(read.problems)
}

const invalid = (problems: readonly Problem[]): HeadgateError =>
  new HeadgateError('HG_CONFIG_VALUE', problems.map(({ message }) => message).join(' '))

function resultOf(question: DryRunQuestion, config: CheckedConfig, io: Io): Promise<object> {
  const { subject } = question
  if (subject.kind === 'compare') return compared(subject, question, config, io)
  return subject.kind === 'explain' ? explained(subject.event, config) : scenarioOf(subject.event, config)
}

/** The newest events in the topics of the pipeline, under the running config and under the text. */
async function compared(
  { text, pipeline, limit, running }: CompareRequest,
  { settings, files }: DryRunQuestion,
  config: CheckedConfig,
  io: Io,
): Promise<Diff> {
  const read = await loadConfig(settings, io, {
    text,
    contents: new Map(files.contents),
    othersOnDisk: true,
    unresolved: 'placeholder',
    ...(running !== undefined && { running }),
  })
  if (!read.ok) throw invalid(read.problems)
  const before = { config, dryRun: new DryRun(config) }
  const after = { config: read.config, dryRun: new DryRun(read.config) }
  const checked = config.pipelines.find(({ name }) => name === pipeline)
  if (checked === undefined || !after.dryRun.pipelines.includes(pipeline))
    throw new HeadgateError('HG_CONFIG_VALUE', `Only one of the two configs has the pipeline ${pipeline}.`)
  const topics = before.dryRun.topics(pipeline)
  const past = await eventsFromTopics(
    config,
    checked,
    before.dryRun,
    { topics, limit, brokers: undefined },
    io,
  )
  return compareConfigs(past, pipeline, before, after, EXAMPLES, io)
}

/** Names in each row of a comparison. */
const EXAMPLES = 5

async function explained(event: TriedEvent, config: CheckedConfig): Promise<object> {
  const { headers, bodyEncoding: _, ...others } = event
  const request = { ...others, headers: new Map(Object.entries(headers)), body: bodyOf(event) }
  return explanationJson(await explain(config, new DryRun(config), request))
}

async function scenarioOf(event: TriedEvent, config: CheckedConfig): Promise<ScenarioText> {
  const { pipeline, headers, body: _, bodyEncoding: __, ...request } = event
  const body = bodyOf(event).toString()
  const names = Object.keys(headers)
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.includes(name)))
  const scenarios = await record(
    [{ line: 1, body, request: { ...request, headers: kept } }],
    new DryRun(config),
    pipeline,
  )
  const leftOut = names.filter((name) => CREDENTIALS.includes(name))
  return {
    text: scenarioFile(scenarios, undefined),
    doubts: [
      ...scenarios.flatMap(({ doubt }) => (doubt === undefined ? [] : [`The event ${doubt}.`])),
      ...leftOut.map((name) => `The header ${name} is left out: scenario files are no place for secrets.`),
    ],
  }
}

/** Headers that let somebody in. */
const CREDENTIALS = ['authorization', 'proxy-authorization', 'cookie']
