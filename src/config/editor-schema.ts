import type { AnyDefinition, Kind } from '../contract/index.js'
import { asWritten, type JsonSchema } from './as-written.js'
import { PACKAGE, PATH } from './plugin-names.js'
import { ConfigFile } from './schema.js'

/**
 * The JSON Schema of the file for editors: in every stage the plugins of its kind, and once one is named, its settings.
 * Made from the same declarations that validate, so it cannot say anything else. What stands in `shipped`, a whole
 * config, becomes the examples of the settings.
 */
export function editorSchema(plugins: readonly AnyDefinition[], shipped: unknown): JsonSchema {
  const file = asWritten(ConfigFile)
  const pipelines = at(file, 'properties', 'pipelines')
  const [name, pipeline] = Object.entries(at(pipelines, 'patternProperties'))[0] as [string, JsonSchema]
  const properties = at(pipeline, 'properties')
  const stage = (kind: Kind, schema: JsonSchema) => stageSchema(kind, schema, plugins)
  const list = (kind: Kind, key: string) => ({
    ...at(properties, key),
    items: stage(kind, at(properties, key, 'items')),
  })
  const ofSinks = plugins.filter(({ kind }) => kind === 'sink')
  const sinks = at(file, 'properties', 'sinks')
  const [sinkName, namedSink] = Object.entries(at(sinks, 'patternProperties'))[0] as [string, JsonSchema]
  const stages = {
    ...properties,
    source: stage('source', at(properties, 'source')),
    transforms: list('transform', 'transforms'),
    sink: sinkSchema(stage('sink', at(properties, 'sink')), ofSinks),
    postCommit: list('post-commit', 'postCommit'),
  }
  const definitions = plugins.map((plugin) => [definitionName(plugin), settings(plugin, shipped)] as const)
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Headgate: plugins.config.json',
    allowComments: true,
    allowTrailingCommas: true,
    ...file,
    properties: {
      ...at(file, 'properties'),
      sinks: { ...sinks, patternProperties: { [sinkName]: stage('sink', namedSink) } },
      pipelines: { ...pipelines, patternProperties: { [name]: { ...pipeline, properties: stages } } },
    },
    definitions: Object.fromEntries(definitions),
  }
}

function stageSchema(kind: Kind, schema: JsonSchema, plugins: readonly AnyDefinition[]): JsonSchema {
  const ofKind = plugins.filter((plugin) => plugin.kind === kind)
  const { minLength, ...name } = asWritten({
    ...at(schema, 'properties', 'plugin'),
    enum: ofKind.map(({ name }) => name),
    enumDescriptions: ofKind.map(({ summary }) => summary),
    expected: `one of ${ofKind.map(({ name }) => `"${name}"`).join(', ')}; a path; or an npm package`,
  })
  const fromOutside = [
    { type: 'string', pattern: PATH, description: 'A plugin by the path of its file, relative to this one.' },
    {
      type: 'string',
      pattern: PACKAGE,
      description: 'A plugin by npm package, with a scope or as headgate-NAME.',
    },
  ]
  const anyOf = [...(name['anyOf'] as JsonSchema[]), ...fromOutside]
  return {
    ...schema,
    properties: { ...at(schema, 'properties'), plugin: { ...name, anyOf } },
    allOf: ofKind.map((plugin) => ({
      if: { properties: { plugin: { const: plugin.name } }, required: ['plugin'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: {
        properties: { config: { $ref: `#/definitions/${definitionName(plugin)}` } },
        ...(asWritten(plugin.config)['required'] !== undefined && { required: ['config'] }),
      },
    })),
  }
}

/** A sink of the pipeline's own, or one that `sinks` declares, by its name or with settings of the pipeline. */
function sinkSchema(own: JsonSchema, plugins: readonly AnyDefinition[]): JsonSchema {
  const { plugin: _, ...others } = at(own, 'properties')
  const use = { type: 'string', minLength: 1, description: 'The name of a sink that `sinks` declares.' }
  // Which plugin it is, only the declared sink says: the settings of each may stand here, and none is required.
  const config = {
    anyOf: plugins.map(({ config }) => {
      const { required, ...settings } = asWritten(config)
      return settings
    }),
  }
  return {
    anyOf: [
      use,
      {
        type: 'object',
        additionalProperties: false,
        required: ['use'],
        properties: { use, ...others, config },
      },
      own,
    ],
  }
}

const definitionName = ({ kind, name }: AnyDefinition): string => `${kind}.${name}`

function settings({ name, config, summary }: AnyDefinition, shipped: unknown): JsonSchema {
  const stage = [...objectsIn(shipped)].find((object) => object['plugin'] === name)
  return withExamples({ description: summary, ...asWritten(config) }, stage?.['config'])
}

function* objectsIn(value: unknown): Generator<JsonSchema> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as JsonSchema
  for (const inner of Object.values(value)) yield* objectsIn(inner)
}

function withExamples(schema: JsonSchema, value: unknown): JsonSchema {
  if (value === undefined) return schema
  const properties = (schema['properties'] ?? {}) as { readonly [name: string]: JsonSchema }
  const inner = Object.entries(properties).map(([name, setting]) => [
    name,
    withExamples(setting, (value as JsonSchema)[name]),
  ])
  return {
    ...schema,
    ...(schema['properties'] !== undefined && { properties: Object.fromEntries(inner) }),
    examples: [value],
  }
}

function at(schema: JsonSchema, ...path: readonly string[]): JsonSchema {
  return path.reduce<JsonSchema>((inner, key) => inner[key] as JsonSchema, schema)
}
