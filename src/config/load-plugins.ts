import { hash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse } from 'jsonc-parser'
import { type AnyDefinition, CONTRACT, KINDS } from '../contract/index.js'
import {
  type ExternalPlugin,
  type ExternalPlugins,
  isExternal,
  isPath,
  type PluginFailure,
} from './choose-plugin.js'
import { readText, reason } from './files.js'
import { loadingFailure, packageEntry } from './plugin-package.js'
import { checkSchema } from './shape.js'

/**
 * Imports the plugins that a config file names by package or by path, and nothing else. Never rejects: the check reports the
 * problems of a plugin, at its place in the file. A file that cannot be read or parsed names none. `text`: used in place of the
 * text of the file. `running`: loads no others, because checking a config must not run code.
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

/** The plugins of the running config, by name; the value is the text of the file if the name is a path. */
export type RunningPlugins = { readonly [name: string]: string | null }

const NOT_RUNNING: ExternalPlugin = {
  failure: {
    message: 'The running config does not use this plugin, and the admin API loads no other plugins.',
    suggestion: 'Run "headgate validate" on the file: it loads the plugins in a process of its own.',
  },
}

/** A file that has changed since it was loaded is not the running plugin. */
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

/** Metrics and logs name a stage by the name in the definition of its plugin, which therefore has to be unique. */
function refuseClash(
  name: string,
  definitions: readonly AnyDefinition[],
  owners: Map<string, Owned>,
): ExternalPlugin | undefined {
  for (const definition of definitions) {
    const key = keyOf(definition)
    const earlier = owners.get(key)
    if (earlier !== undefined && earlier.definition !== definition) {
      const other = earlier.owner === 'built-in' ? 'a built-in one' : `that of "${earlier.owner}"`
      const message = `The ${key} of "${name}" has the same name as ${other}: metrics and logs could not tell them apart.`
      return { failure: { message, suggestion: 'Give the plugin another "name".' } }
    }
    owners.set(key, { definition, owner: name })
  }
  return undefined
}

/** The plugin name of every stage, if it is a text. */
function pluginNames(path: string, replacement: string | undefined): string[] {
  let text: string
  try {
    text = replacement ?? readText(path)
  } catch {
    return []
  }
  const value = parseLeniently(text)
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

/** Undefined for a text that is nested too deeply for the parser; the check of the config reports it. */
function parseLeniently(text: string): unknown {
  try {
    return parse(text.replace(/^\ufeff/, ''), [], { allowTrailingComma: true })
  } catch {
    return undefined
  }
}

/** The file may have any shape: it has not been checked. */
const member = (value: unknown, key: string): unknown =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined

const values = (value: unknown): unknown[] => (isObject(value) ? Object.values(value) : [])

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null

/** Imports a plugin by its name in the config; paths and packages are resolved from `folder`. Never rejects. */
export async function loadPlugin(name: string, folder: string): Promise<ExternalPlugin> {
  const found = isPath(name) ? byPath(name, folder) : byPackage(name, folder)
  if ('failure' in found) return found
  const { url, ...place } = found
  let exported: { readonly [name: string]: unknown }
  try {
    exported = (await import(url)) as typeof exported
  } catch (thrown) {
    return { failure: await loadingFailure(name, url, thrown) }
  }
  const definitions = [...new Set(Object.values(exported))].filter(isDefinition)
  const foreign = Object.values(exported).find(isOfOtherContract)
  if (foreign !== undefined) return failure(otherContract(name, foreign.contract))
  if (definitions.length === 0)
    return failure(`"${name}" exports no plugin definition. ${exportsOf(exported)}`)
  for (const definition of definitions) {
    try {
      checkSchema(definition.config)
    } catch (error) {
      return failure(`The schema of the settings of "${name}" is invalid: ${(error as Error).message}.`)
    }
  }
  return { definitions, ...place }
}

const failure = (message: string) => ({ failure: { message } })

type Located = { readonly url: string; readonly file?: { readonly path: string; readonly text: string } }

/** The digest in the URL makes a changed file another module, so that a reload imports it. */
function byPath(name: string, folder: string): Located | { readonly failure: PluginFailure } {
  const path = resolve(folder, name)
  try {
    const text = readText(path)
    const url = `${pathToFileURL(path).href}?${hash('sha256', text, 'hex').slice(0, 12)}`
    return { url, file: { path, text } }
  } catch (error) {
    return failure(`Cannot read the plugin "${name}": ${reason(error)}. Its path is relative to ${folder}.`)
  }
}

function byPackage(name: string, folder: string): Located | { readonly failure: PluginFailure } {
  const entry = packageEntry(name, folder)
  if (entry === undefined) {
    const message = `The package "${name}" is not installed: no node_modules of ${folder} or of a folder above has it.`
    return { failure: { message, suggestion: `Run npm install ${name} in the folder of the config file.` } }
  }
  return 'problem' in entry ? failure(entry.problem) : { url: pathToFileURL(entry.path).href }
}

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null

const isDefinition = (value: unknown): value is AnyDefinition => isRecord(value) && faults(value).length === 0

const isOfOtherContract = (value: unknown): value is { readonly contract: unknown } =>
  isRecord(value) && 'kind' in value && ![undefined, CONTRACT].includes(value['contract'] as number)

const otherContract = (name: string, contract: unknown): string =>
  `"${name}" was written for version ${JSON.stringify(contract)} of the plugin contract; this Headgate has version ${CONTRACT}.`

const FIELDS: { readonly [name: string]: (value: unknown) => boolean } = {
  kind: (value) => KINDS.some((kind) => kind === value),
  name: (value) => typeof value === 'string' && /^[a-z][a-z0-9-]*$/.test(value),
  summary: (value) => typeof value === 'string',
  config: (value) => isRecord(value) && value['type'] === 'object',
  create: (value) => typeof value === 'function',
}

const faults = (value: { readonly [key: string]: unknown }): string[] =>
  Object.keys(FIELDS).filter((name) => FIELDS[name]?.(value[name]) !== true)

function exportsOf(exported: { readonly [name: string]: unknown }): string {
  const described = Object.entries(exported).map(([name, value]) => `"${name}", ${describe(value)}`)
  return described.length === 0 ? 'It exports nothing.' : `It exports ${described.join('; ')}.`
}

function describe(value: unknown): string {
  if (!isRecord(value)) return value === null ? 'null' : `a value of type ${typeof value}`
  return `an object of which ${faults(value)
    .map((name) => `"${name}"`)
    .join(', ')} is missing or wrong`
}
