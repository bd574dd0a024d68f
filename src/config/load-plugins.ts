import { dirname, resolve } from 'node:path'
import type { AnyDefinition } from '../contract/index.js'
import { type ExternalPlugin, loadPlugin } from './load-plugin.js'
import { isExternal, isPath } from './plugin-names.js'
import { readText } from './read-text.js'
import { readSourceText } from './source-text.js'

/** What became of each plugin that the config names and that is no built-in, by that name. */
export type ExternalPlugins = ReadonlyMap<string, ExternalPlugin>

/**
 * Imports the plugins that a config file names by package or by path, and nothing else. Never rejects: what is wrong with
 * one is reported by the check, at its place. A file that cannot be read or parsed names none. `text`: what the file is to
 * say, where that is not what it says. `running`: no others are loaded; to ask about a config must not run code.
 */
export async function loadPlugins(
  path: string,
  builtIns: readonly AnyDefinition[],
  text?: string,
  running?: RunningPlugins,
): Promise<ExternalPlugins> {
  const names = [...new Set(pluginNames(path, text))].filter(isExternal)
  const loaded = await Promise.all(
    names.map((name) =>
      running === undefined || isRunning(name, dirname(path), running)
        ? loadPlugin(name, dirname(path))
        : NOT_RUNNING,
    ),
  )
  const owners = new Map(builtIns.map((definition) => [keyOf(definition), { definition, owner: 'built-in' }]))
  const plugins = new Map<string, ExternalPlugin>()
  for (const [index, name] of names.entries()) {
    const plugin = loaded[index] as ExternalPlugin
    plugins.set(
      name,
      'failure' in plugin ? plugin : (refuseClash(name, plugin.definitions, owners) ?? plugin),
    )
  }
  return plugins
}

/** The plugins of a config that runs, by their names: of one that is named by a path, the text of its file. */
export type RunningPlugins = { readonly [name: string]: string | null }

const NOT_RUNNING: ExternalPlugin = {
  failure: {
    message: 'This plugin does not run here, and a question about a config loads none.',
    suggestion: 'Run "headgate validate" on the file: it loads the plugins in a process of its own.',
  },
}

/** A file that was changed since is not what runs. */
function isRunning(name: string, folder: string, running: RunningPlugins): boolean {
  if (!Object.hasOwn(running, name)) return false
  if (!isPath(name)) return true
  try {
    return readText(resolve(folder, name)) === running[name]
  } catch {
    return false
  }
}

interface Owned {
  readonly definition: AnyDefinition
  readonly owner: string
}

const keyOf = ({ kind, name }: AnyDefinition): string => `${kind} "${name}"`

/** Metrics and logs name a stage by the name its plugin gives itself. */
function refuseClash(
  name: string,
  definitions: readonly AnyDefinition[],
  owners: Map<string, Owned>,
): ExternalPlugin | undefined {
  for (const definition of definitions) {
    const key = keyOf(definition)
    const known = owners.get(key)
    if (known !== undefined && known.definition !== definition) {
      const other = known.owner === 'built-in' ? 'a built-in one' : `that of "${known.owner}"`
      const message = `The ${key} of "${name}" has the same name as ${other}: metrics and logs could not tell them apart.`
      return { failure: { message, suggestion: 'Give the plugin another "name".' } }
    }
    owners.set(key, { definition, owner: name })
  }
  return undefined
}

/** Every text that stands where a stage names its plugin. */
function pluginNames(path: string, given: string | undefined): string[] {
  let text: string
  try {
    text = given ?? readText(path)
  } catch {
    return []
  }
  const { value } = readSourceText(path, text)
  const ofPipelines = values(member(value, 'pipelines')).flatMap((pipeline) => [
    member(pipeline, 'source'),
    ...values(member(pipeline, 'transforms')),
    member(pipeline, 'sink'),
    ...values(member(pipeline, 'postCommit')),
  ])
  return [...values(member(value, 'sinks')), ...ofPipelines].flatMap((stage) => {
    const name = member(stage, 'plugin')
    return typeof name === 'string' ? [name] : []
  })
}

/** The file may have any shape: it has not been checked. */
const member = (value: unknown, key: string): unknown =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined

const values = (value: unknown): unknown[] => (isObject(value) ? Object.values(value) : [])

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null
