import type { TSchema } from 'typebox'
import type { AnyDefinition, Definition, Kind } from '../contract/index.js'
import { didYouMean } from './problem.js'
import type { ShapeProblem } from './shape.js'

/**
 * A config names an external plugin by a path, or by an npm package with a scope or with the prefix `headgate-`. Any other name
 * is the name of a built-in plugin, so that a typo in a name cannot load a package.
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

/** The definitions of an external plugin, or why Headgate cannot use it. */
export type ExternalPlugin =
  | {
      readonly definitions: readonly AnyDefinition[]
      /** The file of a plugin named by a path: it is a part of the revision of the config. A package has a version instead. */
      readonly file?: { readonly path: string; readonly text: string }
    }
  | { readonly failure: PluginFailure }

/** The external plugins that the config names, by these names. */
export type ExternalPlugins = ReadonlyMap<string, ExternalPlugin>

export interface PluginSet {
  /** The built-in plugins. */
  readonly plugins: readonly AnyDefinition[]
  readonly external?: ExternalPlugins
}

type Chosen<K extends Kind> =
  | { readonly definition: Definition<K, TSchema> }
  | { readonly problem: Omit<ShapeProblem, 'pointer'> }

/** The plugin that a stage names: a built-in or an external plugin. */
export function choosePlugin<K extends Kind>(kind: K, name: string, available: PluginSet): Chosen<K> {
  if (isExternal(name)) return chooseExternal(kind, name, available.external)
  const definition = available.plugins.find((plugin) => plugin.kind === kind && plugin.name === name)
  if (definition !== undefined) return { definition: definition as Definition<K, TSchema> }
  const names = available.plugins.filter((plugin) => plugin.kind === kind).map((plugin) => plugin.name)
  const elsewhere = available.plugins.find((plugin) => plugin.name === name)
  const is = elsewhere === undefined ? '' : ` "${name}" is a ${elsewhere.kind}.`
  return {
    problem: {
      code: 'HG_CONFIG_PLUGIN',
      message: `There is no ${kind} "${name}".${is}`,
      expected: `one of ${names.map((one) => `"${one}"`).join(', ')}`,
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
    const message =
      'A ${...} reference can only name a built-in plugin. Write the path or the package name of this plugin in the file itself.'
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
      : `"${name}" has ${ofKind.length} plugins of the kind ${kind}, and Headgate cannot choose between them: ${has}.`
  return { problem: { code: 'HG_CONFIG_PLUGIN', message, expected: `exactly one ${kind}` } }
}
