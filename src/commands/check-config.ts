import { dirname, resolve } from 'node:path'
import { checkStage, type Question, type Verdict, verdictOf } from '../admin/connect/config-checker.js'
import { filesIn } from '../config/files.js'
import { loadPlugins } from '../config/load-plugins.js'
import { plugins } from '../plugins/index.js'
import { type Command, EXIT } from './command.js'
import { loadConfig } from './load.js'

export const answerCommand: Command = {
  name: 'answer',
  summary: 'Answers one question about a config for `headgate run`, which starts it.',
  hidden: true,
  async run(_, io) {
    const question = JSON.parse(String(await io.stdin())) as Question
    const { settings, asked, running } = question
    const path = resolve(io.cwd, settings.config)
    const verdict = async (): Promise<Verdict> => {
      if (asked.kind === 'file') {
        const read = await loadConfig(settings, io, {
          text: asked.text,
          ...(running !== undefined && { running }),
        })
        return verdictOf(read)
      }
      const external = await loadPlugins(path, plugins, undefined, running)
      const loaded = [...external.values()].flatMap((one) => ('definitions' in one ? one.definitions : []))
      const definition = [...plugins, ...loaded].find(
        ({ kind, name }) => kind === asked.stage && name === asked.plugin,
      )
      if (definition === undefined) return { ok: true }
      return checkStage(definition, asked.settings, filesIn(dirname(path), { within: true }))
    }
    io.out(JSON.stringify(await verdict()))
    return EXIT.ok
  },
}
