import { hash } from 'node:crypto'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type AnyDefinition, CONTRACT, KINDS } from '../contract/index.js'
import { reason } from './file-reasons.js'
import { loadingFailure, type PluginFailure } from './plugin-failure.js'
import { isPath } from './plugin-names.js'
import { packageEntry } from './plugin-package.js'
import { readText } from './read-text.js'
import { checkShape } from './shape.js'

/** The definitions of a plugin from outside, or why it has none that can be used. */
export type ExternalPlugin =
  | {
      readonly definitions: readonly AnyDefinition[]
      /** The file that a path names: it is part of what the config means. A package has its version for that. */
      readonly file?: { readonly path: string; readonly text: string }
    }
  | { readonly failure: PluginFailure }

/** Imports a plugin by its name in the config; paths and packages are looked for from `folder`. Never rejects. */
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
      checkShape(definition.config, {})
    } catch (error) {
      return failure(`The settings that "${name}" declares cannot be used: ${(error as Error).message}.`)
    }
  }
  return { definitions, ...place }
}

const failure = (message: string) => ({ failure: { message } })

type Located = { readonly url: string; readonly file?: { readonly path: string; readonly text: string } }

/** With a digest in its URL a file that was changed is another module, so that a reload gets it. */
function byPath(name: string, folder: string): Located | { readonly failure: PluginFailure } {
  const path = resolve(folder, name)
  try {
    const text = readText(path)
    const url = `${pathToFileURL(path).href}?${hash('sha256', text, 'hex').slice(0, 12)}`
    return { url, file: { path, text } }
  } catch (error) {
    return failure(`The plugin "${name}" cannot be read: ${reason(error)}. It is looked for in ${folder}.`)
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
