import { dirname, resolve } from 'node:path'
import {
  type CheckRequest,
  type CheckResult,
  checkResultOf,
  type DiskMessage,
  type Findings,
} from '../config/check-process.js'
import { checkStage } from '../config/check-stage.js'
import { filesIn } from '../config/files.js'
import { loadPlugins } from '../config/load-plugins.js'
import { runTrials } from '../pipeline/trial.js'
import { plugins } from '../plugins/index.js'
import { type Command, EXIT, type Io } from './command.js'
import { loadConfig } from './load.js'
import { findingsAsJson } from './problems.js'

export const checkConfigCommand: Command = {
  name: 'check-config',
  summary:
    'Checks a config, or one stage, for a reload or the admin API of `headgate run`, which starts this command.',
  hidden: true,
  async run(_, io) {
    const request = JSON.parse(String(await io.stdin())) as CheckRequest
    io.out(JSON.stringify(await check(request, io)))
    return EXIT.ok
  },
}

async function check(
  { settings, subject, running }: CheckRequest,
  io: Io,
): Promise<CheckResult | DiskMessage | Findings> {
  if (subject.kind === 'disk') {
    const read = await runTrials(await loadConfig(settings, io))
    if (!read.ok) return read
    const { revision, watched, contents } = read.config
    return { ok: true, revision, watched, contents: [...contents()] }
  }
  if (subject.kind === 'file' || subject.kind === 'findings') {
    const { text } = subject
    const read = await loadConfig(settings, io, { text, ...(running !== undefined && { running }) })
    if (subject.kind === 'file') return checkResultOf(read)
    // As `headgate validate` does.
    const trial = await runTrials(read)
    return { ok: trial.ok, problems: findingsAsJson(trial) }
  }
  return stageChecked(settings, subject, running, io)
}

async function stageChecked(
  settings: CheckRequest['settings'],
  subject: Extract<CheckRequest['subject'], { kind: 'stage' }>,
  running: CheckRequest['running'],
  io: Io,
): Promise<CheckResult> {
  const path = resolve(io.cwd, settings.config)
  const external = await loadPlugins(path, plugins, undefined, running)
  const loaded = [...external.values()].flatMap((entry) => ('definitions' in entry ? entry.definitions : []))
  const definition = [...plugins, ...loaded].find(
    ({ kind, name }) => kind === subject.stage && name === subject.plugin,
  )
  if (definition === undefined) return { ok: true }
  return checkStage(definition, subject.settings, filesIn(dirname(path), { within: true }))
}
