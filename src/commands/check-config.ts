import { dirname, resolve } from 'node:path'
import {
  type CheckRequest,
  type CheckResult,
  checkResultOf,
  checkStage,
} from '../admin/connect/config-checker.js'
import { filesIn } from '../config/files.js'
import { loadPlugins } from '../config/load-plugins.js'
import { plugins } from '../plugins/index.js'
import { type Command, EXIT, type Io } from './command.js'
import { loadConfig } from './load.js'

export const checkConfigCommand: Command = {
  name: 'check-config',
  summary: 'Checks a config, or one stage, for the admin API of `headgate run`, which starts this command.',
  hidden: true,
  async run(_, io) {
    const request = JSON.parse(String(await io.stdin())) as CheckRequest
    io.out(JSON.stringify(await check(request, io)))
    return EXIT.ok
  },
}

async function check({ settings, subject, running }: CheckRequest, io: Io): Promise<CheckResult> {
  if (subject.kind === 'file') {
    const read = await loadConfig(settings, io, {
      text: subject.text,
      ...(running !== undefined && { running }),
    })
    return checkResultOf(read)
  }
  const path = resolve(io.cwd, settings.config)
  const external = await loadPlugins(path, plugins, undefined, running)
  const loaded = [...external.values()].flatMap((entry) => ('definitions' in entry ? entry.definitions : []))
  const definition = [...plugins, ...loaded].find(
    ({ kind, name }) => kind === subject.stage && name === subject.plugin,
  )
  if (definition === undefined) return { ok: true }
  return checkStage(definition, subject.settings, filesIn(dirname(path), { within: true }))
}
