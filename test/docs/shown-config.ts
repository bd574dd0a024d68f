import { parse } from 'jsonc-parser'
import type { Schema } from '../../src/config/editor-schema.js'
import { ConfigFile } from '../../src/config/schema.js'
import type { AnyDefinition, Kind } from '../../src/contract/index.js'
import { plugins } from '../../src/plugins/index.js'

/** Plugins that pages name and that are no built-ins. */
export const FROM_OUTSIDE: { readonly [name: string]: Kind } = {
  './plugins/mask.mjs': 'transform',
  '@acme/headgate-s3': 'sink',
}

type Settings = { [setting: string]: unknown }

interface Pipeline extends Settings {
  source: Settings
  transforms: Settings[]
  sink: Settings
  postCommit: Settings[]
}

/**
 * Texts of whole configs, in which what a page shows stands where it belongs: a file as it is; a stage, or several, a line
 * each, in place of that of the shipped config; settings in the one object that knows them. Text stays text, for its
 * comments count. Throws where it belongs nowhere.
 */
export function configsShowing(text: string, shipped: string): string[] {
  if (isWhole(text)) return [configShowing(text, shipped)]
  const lines = text.trim().split('\n')
  if (lines.every(isWhole)) return lines.map((line) => configShowing(line, shipped))
  return [configShowing(`{${text}}`, shipped)]
}

const PLACEHOLDER = '@@'

function configShowing(text: string, shipped: string): string {
  const shown: { readonly [name: string]: unknown } = parse(text, [], { allowTrailingComma: true })
  if ('pipelines' in shown) return text
  const config = parse(shipped)
  const [pipeline] = Object.values<Pipeline>(config.pipelines)
  if (pipeline === undefined) throw new Error('the shipped config has no pipeline')
  if (typeof shown['plugin'] === 'string')
    putStage(shown['plugin'], Object.keys(shown['config'] ?? {}), pipeline)
  else putSettings(Object.keys(shown), pipeline)
  const members = text.slice(text.indexOf('{') + 1, text.lastIndexOf('}'))
  return JSON.stringify(config).replace(`"${PLACEHOLDER}":0`, () => members)
}

/** Plugins of two kinds may have one name: the settings tell them apart. */
function putStage(name: string, settings: readonly string[], pipeline: Pipeline): void {
  const isMeant = (plugin: AnyDefinition) =>
    plugin.name === name && settings.every((setting) => setting in plugin.config.properties)
  const kind = FROM_OUTSIDE[name] ?? plugins.find(isMeant)?.kind
  const stage = { [PLACEHOLDER]: 0 }
  if (kind === 'source' || kind === 'sink') pipeline[kind] = stage
  else if (kind === 'post-commit') pipeline.postCommit = [stage]
  else if (kind === 'transform')
    pipeline.transforms = [stage, ...pipeline.transforms.filter(({ plugin }) => plugin !== name)]
  else throw new Error(`no plugin is called ${name}`)
}

function putSettings(names: readonly string[], pipeline: Pipeline): void {
  const stages = [
    ['source', pipeline.source],
    ...pipeline.transforms.map((stage) => ['transform', stage] as const),
    ['sink', pipeline.sink],
    ...pipeline.postCommit.map((stage) => ['post-commit', stage] as const),
  ] as const
  const places = [
    { object: pipeline as Settings, schema: pipelineSchema() },
    ...stages.map(([of, { plugin, config }]) => ({
      object: config as Settings,
      schema: plugins.find(({ kind, name }) => kind === of && name === plugin)?.config as Schema | undefined,
    })),
  ].filter(({ schema }) => names.every((name) => Object.hasOwn(schema?.properties ?? {}, name)))
  const [place, another] = places
  if (place === undefined || another !== undefined)
    throw new Error(`${places.length} places of a config know ${names.join(', ')}; it has to be one`)
  for (const name of names) delete place.object[name]
  place.object[PLACEHOLDER] = 0
}

const pipelineSchema = (): Schema | undefined =>
  Object.values((ConfigFile as Schema).properties?.['pipelines']?.patternProperties ?? {})[0]

function isWhole(text: string): boolean {
  const errors: never[] = []
  parse(text, errors, { allowTrailingComma: true })
  return errors.length === 0
}
