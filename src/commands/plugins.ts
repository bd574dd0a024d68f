import { didYouMean } from '../pipeline/config/problem.js'
import type { AnyDefinition } from '../plugin.js'
import { plugins } from '../plugins/index.js'
import { type Command, EXIT } from './command.js'
import { describeSettings } from './describe-settings.js'

export const pluginsCommand: Command = {
  name: 'plugins',
  summary: 'Lists the plugins, or shows every setting of one.',
  arguments: [{ name: '[name]', description: 'A plugin, to see its settings.' }],
  async run({ arguments: [name] }, io) {
    if (name === undefined) {
      io.out(`${list(plugins)}\n\n"headgate plugins NAME" shows the settings of one.\n`)
      return EXIT.ok
    }
    const plugin = plugins.find((known) => known.name === name)
    if (plugin === undefined) {
      const names = plugins.map((known) => known.name)
      const hint = didYouMean(name, names)?.suggestion ?? `Plugins are ${names.join(', ')}.`
      io.err(`There is no plugin "${name}". ${hint}\n`)
      return EXIT.usage
    }
    io.out(`${plugin.name} (${plugin.kind})\n${plugin.summary}\n\n${describeSettings(plugin.config)}`)
    return EXIT.ok
  },
}

function list(known: readonly AnyDefinition[]): string {
  const wide = Math.max(...known.map(({ name }) => name.length))
  return known
    .map(({ kind, name, summary }) => `${name.padEnd(wide)}  ${kind.padEnd(11)}  ${summary}`)
    .join('\n')
}
