import type { AnyDefinition, Kind } from '../contract/index.js'
import { PACKAGE, PATH } from './choose-plugin.js'
import { ConfigFile } from './schema.js'

/**
 * The JSON Schema of the file for editors: for every stage the plugins of its kind, and the settings of the plugin that it names.
 * It is made from the declarations that `validate` uses, so the two cannot differ. The settings in `shipped`, a whole config,
 * become the examples.
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

/** A sink of the pipeline itself, or a reference to one in `sinks`: its name, or its name and settings of the pipeline. */
function sinkSchema(own: JsonSchema, plugins: readonly AnyDefinition[]): JsonSchema {
  const { plugin: _, ...others } = at(own, 'properties')
  const use = { type: 'string', minLength: 1, description: 'The name of a sink that `sinks` declares.' }
  // The plugin is only named in `sinks`: the settings of every sink plugin are allowed here, and none is required.
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

function settings({ name, config, summary, presets }: AnyDefinition, shipped: unknown): JsonSchema {
  const stage = [...objectsIn(shipped)].find((object) => object['plugin'] === name)
  const schema = withExamples({ description: summary, ...asWritten(config) }, stage?.['config'])
  return presets === undefined ? schema : withPresets(schema, presets.setting)
}

/**
 * Beside the setting that stands for others, nothing that it can stand for is required, and a setting may be a part of one, or
 * null to be without it.
 */
function withPresets({ required, ...schema }: JsonSchema, setting: string): JsonSchema {
  const properties = Object.entries(at(schema, 'properties'))
  const whole = properties.filter(([, property]) => (property as JsonSchema)['oneOf'] !== undefined)
  const parts = whole.map(([name, property]) => {
    const { description, examples } = property as JsonSchema
    return [name, { type: ['object', 'null'], description, ...(examples !== undefined && { examples }) }]
  })
  return {
    ...schema,
    properties: { ...Object.fromEntries(properties), ...Object.fromEntries(parts) },
    if: { required: [setting] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {},
    else: { required, properties: Object.fromEntries(whole) },
  }
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

/** A JSON Schema, or a part of one. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** A reference to a provider, anywhere in a text. */
const REFERENCE = '\\$\\{(?:env|file|dir):'
const aReference = { type: 'string', pattern: REFERENCE, description: 'A reference to a provider.' }

/** Patterns for the formats that editors do not support. */
const FORMATS: { readonly [format: string]: string } = {
  'json-pointer': '^(?:/(?:[^~/]|~[01])*)*$',
  path: '\\S',
}

/**
 * Turns the schema of the settings that a plugin gets into the schema of the settings that people write: defaults are not filled
 * in yet, and any text may be a ${...} reference. `expected` becomes the message that editors show.
 */
export function asWritten(schema: object): JsonSchema {
  const { expected, ...rest } = withinEach(schema)
  const written = withReference(withoutDefaulted(withPattern(rest)))
  return typeof expected === 'string' ? { ...written, errorMessage: `Expected ${expected}.` } : written
}

/** Keywords with one schema, with a list of schemas, and with schemas by name. */
const ONE = ['items', 'additionalProperties', 'propertyNames', 'not']
const LIST = ['anyOf', 'oneOf', 'allOf']
const NAMED = ['properties', 'patternProperties']

function withinEach(schema: object): JsonSchema {
  const entries = Object.entries(schema).map(([keyword, value]): [string, unknown] => {
    if (typeof value !== 'object' || value === null) return [keyword, value]
    if (ONE.includes(keyword)) return [keyword, asWritten(value)]
    if (LIST.includes(keyword)) return [keyword, (value as object[]).map(asWritten)]
    if (!NAMED.includes(keyword)) return [keyword, value]
    const named = Object.entries(value).map(([name, inner]) => [name, asWritten(inner as object)])
    return [keyword, Object.fromEntries(named)]
  })
  return Object.fromEntries(entries)
}

function withPattern({ format, ...schema }: JsonSchema): JsonSchema {
  const pattern = FORMATS[String(format)]
  return pattern === undefined
    ? { ...schema, ...(format !== undefined && { format }) }
    : { ...schema, pattern }
}

function withoutDefaulted(schema: JsonSchema): JsonSchema {
  const { required, properties, ...rest } = schema
  if (!Array.isArray(required) || properties === undefined) return schema
  const settings = properties as { readonly [name: string]: JsonSchema }
  const needed = required.filter((name: string) => !('default' in (settings[name] ?? {})))
  return { ...rest, properties, ...(needed.length > 0 && { required: needed }) }
}

function withReference(schema: JsonSchema): JsonSchema {
  const { pattern, enum: values, anyOf, oneOf, discriminator } = schema
  if (typeof pattern === 'string') return { ...schema, pattern: `${REFERENCE}|${pattern}` }
  if (Array.isArray(values)) {
    const { enum: _values, enumDescriptions, type, ...rest } = schema
    const listed = { enum: values, ...(enumDescriptions !== undefined && { enumDescriptions }) }
    return { ...rest, anyOf: [listed, aReference] }
  }
  if (Array.isArray(anyOf) && anyOf.some(isText)) return { ...schema, anyOf: [...anyOf, aReference] }
  const tag = (discriminator as { readonly propertyName: string } | undefined)?.propertyName
  if (Array.isArray(oneOf) && tag !== undefined) {
    return { ...schema, oneOf: [...oneOf, { properties: { [tag]: aReference }, required: [tag] }] }
  }
  return schema
}

const isText = (schema: JsonSchema): boolean => typeof schema['const'] === 'string'

/** The parts of the schema of a setting that help and docs show. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly expected?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly properties?: { readonly [name: string]: Schema }
  readonly patternProperties?: { readonly [pattern: string]: Schema }
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly discriminator?: { readonly propertyName: string }
}

export function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' | ')
  if (schema.type === 'array' && schema.items !== undefined) return `list of ${typeOf(schema.items)}`
  return schema.type === undefined ? 'any' : [schema.type].flat().join(' | ')
}

export function presence(schema: Schema, required: boolean): string {
  if (schema.default !== undefined) return `default ${JSON.stringify(schema.default)}`
  return required ? 'required' : 'optional'
}

export function range({ minimum, exclusiveMinimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`
  if (exclusiveMinimum !== undefined) return `more than ${exclusiveMinimum}`
  return minimum === undefined ? '' : `at least ${minimum}`
}
