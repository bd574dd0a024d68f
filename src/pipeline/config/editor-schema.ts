import type { AnyDefinition, Kind } from '../../plugin.js'
import { ConfigFile } from './schema.js'

interface JsonSchema {
  readonly [keyword: string]: unknown
}

/**
 * The JSON Schema of the file for editors: in every stage the plugins of its kind, and once one is named, its settings.
 * Made from the same declarations that validate, so it cannot say anything else.
 */
export function editorSchema(plugins: readonly AnyDefinition[]): JsonSchema {
  const file = asWritten(ConfigFile)
  const pipelines = at(file, 'properties', 'pipelines')
  const [name, pipeline] = Object.entries(at(pipelines, 'patternProperties'))[0] as [string, JsonSchema]
  const properties = at(pipeline, 'properties')
  const stage = (kind: Kind, schema: JsonSchema) => stageSchema(kind, schema, plugins)
  const list = (kind: Kind, key: string) => ({
    ...at(properties, key),
    items: stage(kind, at(properties, key, 'items')),
  })
  const stages = {
    ...properties,
    source: stage('source', at(properties, 'source')),
    transforms: list('transform', 'transforms'),
    sink: stage('sink', at(properties, 'sink')),
    postCommit: list('post-commit', 'postCommit'),
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Headgate: plugins.config.json',
    allowComments: true,
    allowTrailingCommas: true,
    ...file,
    properties: {
      ...at(file, 'properties'),
      pipelines: { ...pipelines, patternProperties: { [name]: { ...pipeline, properties: stages } } },
    },
    definitions: Object.fromEntries(plugins.map((plugin) => [definitionName(plugin), settings(plugin)])),
  }
}

function stageSchema(kind: Kind, schema: JsonSchema, plugins: readonly AnyDefinition[]): JsonSchema {
  const ofKind = plugins.filter((plugin) => plugin.kind === kind)
  const properties = at(schema, 'properties')
  return {
    ...schema,
    properties: {
      ...properties,
      plugin: {
        ...at(properties, 'plugin'),
        enum: ofKind.map(({ name }) => name),
        enumDescriptions: ofKind.map(({ summary }) => summary),
      },
    },
    allOf: ofKind.map((plugin) => ({
      if: { properties: { plugin: { const: plugin.name } }, required: ['plugin'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: {
        properties: { config: { $ref: `#/definitions/${definitionName(plugin)}` } },
        ...(settings(plugin)['required'] !== undefined && { required: ['config'] }),
      },
    })),
  }
}

const definitionName = ({ kind, name }: AnyDefinition): string => `${kind}.${name}`

const settings = ({ config, summary }: AnyDefinition): JsonSchema => ({
  description: summary,
  ...asWritten(config),
})

/** A schema of what people write: defaults are not filled in yet, and text may hold a ${...} reference. */
function asWritten(schema: object): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (_key, value: JsonSchema) =>
    typeof value === 'object' && value !== null ? withReferences(withoutDefaulted(value)) : value,
  ) as JsonSchema
}

function withoutDefaulted(schema: JsonSchema): JsonSchema {
  const { required, ...rest } = schema
  if (!Array.isArray(required) || rest['properties'] === undefined) return schema
  const needed = required.filter((name: string) => !('default' in at(rest, 'properties', name)))
  return needed.length > 0 ? { ...rest, required: needed } : rest
}

const withReferences = (schema: JsonSchema): JsonSchema =>
  typeof schema['pattern'] === 'string' ? { ...schema, pattern: `\\$\\{|${schema['pattern']}` } : schema

function at(schema: JsonSchema, ...path: readonly string[]): JsonSchema {
  return path.reduce<JsonSchema>((inner, key) => inner[key] as JsonSchema, schema)
}
