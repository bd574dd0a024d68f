import type { TSchema } from 'typebox'
import type { AnyDefinition, Definition, Kind } from '../contract/index.js'
import { didYouMean } from './problem.js'
import type { ShapeProblem } from './shape.js'

/**
 * How a plugin is named that is no built-in: by a path, or by an npm package with a scope or with the prefix `headgate-`.
 * Any other name is that of a built-in, so that a misspelt one can load nothing.
 */
export const PATH = '^(?:\\.{1,2}/|/).*[^/]$'
export const PACKAGE = '^(?:@[a-z0-9~-][a-z0-9._~-]*/[a-z0-9~-][a-z0-9._~-]*|headgate-[a-z0-9._~-]+)$'

const path = new RegExp(PATH)
const packageName = new RegExp(PACKAGE)

export const isPath = (name: string): boolean => path.test(name)
export const isExternal = (name: string): boolean => isPath(name) || packageName.test(name)

/** Why a plugin cannot be used. */
export interface PluginFailure {
  readonly message: string
  readonly suggestion?: string
}

/** The definitions of a plugin from outside, or why it has none that can be used. */
export type ExternalPlugin =
  | {
      readonly definitions: readonly AnyDefinition[]
      /** The file that a path names: it is part of what the config means. A package has its version for that. */
      readonly file?: { readonly path: string; readonly text: string }
    }
  | { readonly failure: PluginFailure }

/** What became of each plugin that the config names and that is no built-in, by that name. */
export type ExternalPlugins = ReadonlyMap<string, ExternalPlugin>

export interface Known {
  /** The built-in ones. */
  readonly plugins: readonly AnyDefinition[]
  readonly external?: ExternalPlugins
}

type Chosen<K extends Kind> =
  | { readonly definition: Definition<K, TSchema> }
  | { readonly problem: Omit<ShapeProblem, 'pointer'> }

/** The plugin that a stage names: a built-in one, or what was loaded for the name. */
export function choosePlugin<K extends Kind>(kind: K, name: string, known: Known): Chosen<K> {
  if (isExternal(name)) return chooseExternal(kind, name, known.external)
  const definition = known.plugins.find((plugin) => plugin.kind === kind && plugin.name === name)
  if (definition !== undefined) return { definition: definition as Definition<K, TSchema> }
  const names = known.plugins.filter((plugin) => plugin.kind === kind).map((plugin) => plugin.name)
  const elsewhere = known.plugins.find((plugin) => plugin.name === name)
  const is = elsewhere === undefined ? '' : ` "${name}" is a ${elsewhere.kind}.`
  return {
    problem: {
      code: 'HG_CONFIG_PLUGIN',
      message: `There is no ${kind} "${name}".${is}`,
      expected: `one of ${names.map((known) => `"${known}"`).join(', ')}`,
      ...didYouMean(name, names),
    },
  }
}

function chooseExternal<K extends Kind>(
  kind: K,
  name: string,
  external: ExternalPlugins | undefined,
): Chosen<K> {
  const loaded = external?.get(name)
  if (loaded === undefined) {
    const message = 'A plugin that is no built-in is named in the file itself, not by a ${...} reference.'
    return { problem: { code: 'HG_CONFIG_PLUGIN', message } }
  }
  if ('failure' in loaded) return { problem: { code: 'HG_CONFIG_PLUGIN_LOAD', ...loaded.failure } }
  const ofKind = loaded.definitions.filter((definition) => definition.kind === kind)
  const [definition] = ofKind
  if (definition !== undefined && ofKind.length === 1)
    return { definition: definition as Definition<K, TSchema> }
  const has = loaded.definitions.map(({ kind, name }) => `the ${kind} "${name}"`).join(', ')
  const message =
    ofKind.length === 0
      ? `"${name}" has no ${kind}; it has ${has}.`
      : `"${name}" has ${ofKind.length} plugins of the kind ${kind}, so that which one is meant is open: ${has}.`
  return { problem: { code: 'HG_CONFIG_PLUGIN', message, expected: `exactly one ${kind}` } }
}
