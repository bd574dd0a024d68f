import { dirname, resolve } from 'node:path'
import { isExternal, isPath } from '../config/choose-plugin.js'
import { presence, range, type Schema, typeOf } from '../config/editor-schema.js'
import { loadPlugin } from '../config/load-plugins.js'
import { didYouMean } from '../config/problem.js'
import type { AnyDefinition } from '../contract/index.js'
import { plugins } from '../plugins/index.js'
import { type Command, type CommandInput, EXIT, type Io } from './command.js'
import { loadSettings, settingOptions } from './load.js'

export const pluginsCommand: Command = {
  name: 'plugins',
  summary: 'Lists the plugins, or shows every setting of one.',
  details: `External plugins are named as in the config: by the path of the file (./plugins/mask.mjs, relative to the current folder)
or by the npm package (@acme/headgate-s3, installed in the folder of the config file). The command loads them.`,
  arguments: [
    {
      name: '[name]',
      description: 'The plugin whose settings are shown: a built-in, a path or an npm package.',
      choices: [...new Set(plugins.map(({ name }) => name))],
    },
  ],
  options: settingOptions().filter(({ flags }) => flags.startsWith('--config ')),
  async run({ arguments: [name], options }, io) {
    if (name === undefined) {
      io.out(`${list(plugins)}\n\n"headgate plugins NAME" shows the settings of one.\n`)
      return EXIT.ok
    }
    if (isExternal(name)) return showExternal(name, options, io)
    const found = plugins.filter((plugin) => plugin.name === name)
    if (found.length === 0) {
      const names = [...new Set(plugins.map((plugin) => plugin.name))]
      const hint = didYouMean(name, names)?.suggestion ?? `Expected one of ${names.join(', ')}.`
      io.err(`There is no plugin "${name}". ${hint}\n`)
      return EXIT.usage
    }
    io.out(found.map(format).join('\n'))
    return EXIT.ok
  },
}

async function showExternal(name: string, options: CommandInput['options'], io: Io): Promise<number> {
  const settings = loadSettings(options, io)
  if (settings === undefined) return EXIT.usage
  const folder = isPath(name) ? io.cwd : dirname(resolve(io.cwd, settings.config))
  const loaded = await loadPlugin(name, folder)
  if ('failure' in loaded) {
    const { message, suggestion } = loaded.failure
    io.err(`${[message, suggestion].filter((line) => line !== undefined).join('\n')}\n`)
    return EXIT.wrong
  }
  io.out(loaded.definitions.map(format).join('\n'))
  return EXIT.ok
}

const format = ({ name, kind, summary, config }: AnyDefinition): string =>
  `${name} (${kind})\n${summary}\n\n${describeSettings(config)}`

function list(plugins: readonly AnyDefinition[]): string {
  const wide = Math.max(...plugins.map(({ name }) => name.length))
  return plugins
    .map(({ kind, name, summary }) => `${name.padEnd(wide)}  ${kind.padEnd(11)}  ${summary}`)
    .join('\n')
}

/** Every setting with its type, default and description, from the schema that validates. */
export function describeSettings(schema: Schema): string {
  return describeObject(schema, '').join('\n')
}

function describeObject({ properties = {}, required = [] }: Schema, indent: string, skip?: string): string[] {
  return Object.entries(properties)
    .filter(([name]) => name !== skip)
    .flatMap(([name, schema]) => [...describe(name, schema, required.includes(name), indent), ''])
}

function describe(name: string, schema: Schema, required: boolean, indent: string): string[] {
  const traits = [typeOf(schema), presence(schema, required), range(schema)].filter((trait) => trait !== '')
  const head = `${indent}${name}  (${traits.join(', ')})`
  const meaning = schema.description === undefined ? [] : wrap(schema.description, `${indent}    `)
  const written = schema.expected === undefined ? [] : wrap(`Written as ${schema.expected}.`, `${indent}    `)
  return [head, ...meaning, ...written, ...inner(schema, `${indent}    `)]
}

/** The settings inside an object, inside the elements of a list, or in each variant of a setting. */
function inner(schema: Schema, indent: string): string[] {
  if (schema.properties !== undefined) return ['', ...describeObject(schema, indent)].slice(0, -1)
  if (schema.items?.properties !== undefined) return inner(schema.items, indent)
  const tag = schema.discriminator?.propertyName
  return (schema.oneOf ?? schema.anyOf ?? []).flatMap((shape) => {
    if (shape.properties === undefined) return []
    if (tag === undefined) return ['', ...describeObject(shape, indent)].slice(0, -1)
    const title = `${indent}if "${tag}" is ${JSON.stringify(shape.properties[tag]?.const)}:`
    const meaning = shape.description === undefined ? [] : wrap(shape.description, `${indent}    `)
    return ['', title, ...meaning, '', ...describeObject(shape, `${indent}    `, tag)].slice(0, -1)
  })
}

const WIDTH = 100

function wrap(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, indent + line]
}
