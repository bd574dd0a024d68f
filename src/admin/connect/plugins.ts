import { type Schema, typeOf } from '../../config/editor-schema.js'
import { ConfigFile } from '../../config/schema.js'
import { HIDDEN, secretPlaces } from '../../config/secrets.js'
import { HeadgateError } from '../../contract/errors.js'
import type { AnyDefinition, Kind } from '../../contract/index.js'
import { pointer as compilePointer } from '../../lib/json/pointer.js'
import { referenceRefused, referencesIn, unusedReferences } from '../config/references.js'
import { type AdminResponse, errorResponse, get, json, put, type Route } from '../routes.js'
import { type Connect, fromText, isObject, PIPELINE_CLASS, toPipeline } from './connect.js'
import { editedConfig } from './write.js'

/** A problem, and the setting that it is about; empty if it is about none. */
interface SettingProblem {
  readonly setting: string
  readonly message: string
}

/** The plugins that pipelines can use, and checks of configs. Nothing is started. */
export function pluginRoutes(connect: Connect): Route[] {
  const { version } = connect
  const definitions = (): AnyDefinition[] => {
    const used = connect.reloader
      .config()
      .pipelines.flatMap(({ source, transforms, sink, postCommit }) => [
        source,
        ...transforms,
        sink,
        ...postCommit,
      ])
    return [...new Set([...connect.plugins, ...used.map(({ definition }) => definition as AnyDefinition)])]
  }
  const plugin = (
    respond: (definition: AnyDefinition, body: unknown) => AdminResponse | Promise<AdminResponse>,
  ): Route['handle'] => {
    return ({ params, body }) => {
      const definition = definitions().find(({ name }) => name === params['plugin'])
      return definition === undefined
        ? errorResponse(
            404,
            `Unknown plugin ${params['plugin']}; GET /connector-plugins?connectorsOnly=false lists them.`,
          )
        : respond(definition, body)
    }
  }
  return [
    get('/connector-plugins', ({ query }) => {
      const pipeline = { class: PIPELINE_CLASS, type: 'source', version }
      if (query.get('connectorsOnly') !== 'false') return json(200, [pipeline])
      const others = definitions().map(({ name, kind }) => ({
        class: name,
        type: kind,
        ...(connect.plugins.some((builtIn) => builtIn.name === name) && { version }),
      }))
      return json(200, [pipeline, ...others])
    }),
    ...PIPELINE_NAMES.map((name) =>
      get(`/connector-plugins/${name}/config`, () => json(200, pipelineSettings())),
    ),
    get(
      '/connector-plugins/{plugin}/config',
      plugin(({ config, name }) => json(200, definitionsOf(config as Schema, name))),
    ),
    ...PIPELINE_NAMES.map((name) =>
      put(`/connector-plugins/${name}/config/validate`, ({ body }) =>
        orUnavailable(validatePipeline(connect, body)),
      ),
    ),
    put(
      '/connector-plugins/{plugin}/config/validate',
      plugin((definition, body) => orUnavailable(validateStage(connect, definition, body))),
    ),
  ]
}

/** A class can be requested by its whole name and, as in Kafka Connect, by the last part of it. */
const PIPELINE_NAMES = [PIPELINE_CLASS, PIPELINE_CLASS.slice(PIPELINE_CLASS.lastIndexOf('.') + 1)]

/** Responds 503 if a check does not finish in time. */
const orUnavailable = (response: Promise<AdminResponse>): Promise<AdminResponse> =>
  response.catch((thrown: unknown) => {
    if (thrown instanceof HeadgateError) return errorResponse(503, thrown.message)
    throw thrown
  })

const pipelineSettings = (): SettingDefinition[] =>
  definitionsOf(
    Object.values((ConfigFile as Schema).properties?.['pipelines']?.patternProperties ?? {})[0] ?? {},
    'pipeline',
  )

async function validatePipeline(connect: Connect, body: unknown): Promise<AdminResponse> {
  const name = isObject(body) ? body['name'] : undefined
  if (typeof name !== 'string') return errorResponse(400, 'The config has no "name".')
  const pipeline = toPipeline(name, body)
  if (typeof pipeline === 'string') return errorResponse(400, pipeline)
  // The messages could contain the values of references, so only references that the config already uses are resolved.
  const [unused] = connect.configFile.writable
    ? []
    : unusedReferences(JSON.stringify(body), connect.reloader.config())
  if (unused !== undefined) return errorResponse(403, referenceRefused(unused))
  const verdict = await connect.checker.file(
    editedConfig(await connect.configFile.read(), name, pipeline),
    false,
  )
  const prefix = ['pipelines', name]
  const complaints = (verdict.ok ? [] : verdict.problems).map(
    ({ pointer, code, message, expected, suggestion }) => {
      const tokens = compilePointer(pointer).tokens
      const isOwn = prefix.every((token, index) => tokens[index] === token)
      const words = [message, expected && `Expected: ${expected}.`, suggestion].filter(Boolean).join(' ')
      return { setting: (isOwn && tokens[2]) || '', message: connect.redact(`${code}: ${pointer}: ${words}`) }
    },
  )
  return json(200, configInfos(PIPELINE_CLASS, pipelineSettings(), pipeline, [], complaints))
}

const KEY_OF: { readonly [kind in Kind]: string } = {
  source: 'source',
  transform: 'transforms',
  sink: 'sink',
  'post-commit': 'postCommit',
}

/** References are not resolved: a setting that has one is not checked. */
async function validateStage(
  { checker, redact, plugins }: Connect,
  definition: AnyDefinition,
  body: unknown,
): Promise<AdminResponse> {
  if (!isObject(body)) return errorResponse(400, 'The config should be an object.')
  const { name, kind, config: schema } = definition
  const settings = Object.fromEntries(Object.entries(body).map(([key, value]) => [key, fromText(value)]))
  const definitions = definitionsOf(schema as Schema, name)
  const verdict = await checker.stage(definition, settings)
  const found = verdict.ok ? [] : verdict.problems
  const complaints = found.map(({ pointer: at, code, message, suggestion }) => {
    const missing = definitions.find(
      ({ name: one, required }) => required && !(one in settings) && message.includes(`"${one}"`),
    )
    const setting = compilePointer(at).tokens[0] ?? missing?.name ?? ''
    const words = [message, suggestion].filter(Boolean).join(' ')
    return { setting, message: redact(`${code}: ${at === '' ? '' : `${at}: `}${words}`) }
  })
  const file = { pipelines: { it: { [KEY_OF[kind]]: { plugin: name, config: settings } } } }
  const secrets = secretPlaces(file, { plugins: [...plugins, definition] }).flatMap(
    ({ pointer }) => compilePointer(pointer).tokens[4] ?? [],
  )
  const checked = complaints.filter(
    ({ setting }) => referencesIn(JSON.stringify(settings[setting] ?? '')).length === 0,
  )
  return json(200, configInfos(name, definitions, settings, secrets, checked))
}

/** Kafka Connect's ConfigInfos. Names that are no setting have no definition. */
function configInfos(
  name: string,
  definitions: readonly SettingDefinition[],
  settings: { readonly [name: string]: unknown },
  secrets: readonly string[],
  complaints: readonly SettingProblem[],
): object {
  const names = new Set([
    ...definitions.map((definition) => definition.name),
    ...Object.keys(settings),
    ...complaints.map(({ setting }) => setting),
  ])
  const shown = (setting: string): string | null => {
    const value = settings[setting] ?? definitions.find((one) => one.name === setting)?.default_value
    if (value === undefined || value === null) return null
    return secrets.includes(setting) ? HIDDEN : textOf(value)
  }
  const configs = [...names].map((setting) => ({
    definition: definitions.find((definition) => definition.name === setting) ?? null,
    value: {
      name: setting,
      value: shown(setting),
      recommended_values: [],
      errors: complaints.filter((complaint) => complaint.setting === setting).map(({ message }) => message),
      visible: true,
    },
  }))
  return { name, error_count: complaints.length, groups: [definitions[0]?.group ?? name], configs }
}

/** A setting as Kafka Connect describes it. */
interface SettingDefinition {
  readonly name: string
  readonly type: 'BOOLEAN' | 'LONG' | 'DOUBLE' | 'PASSWORD' | 'STRING'
  readonly required: boolean
  readonly default_value: string | null
  readonly importance: 'HIGH' | 'MEDIUM'
  readonly documentation: string
  readonly group: string
  readonly order: number
  readonly width: 'NONE'
  readonly display_name: string
  readonly dependents: readonly []
}

/** The settings of a schema. Lists and objects are JSON as text: Kafka Connect has neither type. */
function definitionsOf(schema: Schema, group: string): SettingDefinition[] {
  return Object.entries(schema.properties ?? {}).map(([name, setting], index) => {
    const required = (schema.required?.includes(name) ?? false) && setting.default === undefined
    return {
      name,
      type: connectType(setting),
      required,
      default_value: setting.default === undefined ? null : textOf(setting.default),
      importance: required ? 'HIGH' : 'MEDIUM',
      documentation: [setting.description, expectedOf(setting)]
        .filter((part) => part !== undefined)
        .join(' '),
      group,
      order: index + 1,
      width: 'NONE',
      display_name: name,
      dependents: [],
    }
  })
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function connectType(schema: Schema & { readonly secret?: boolean }): SettingDefinition['type'] {
  if (schema.secret === true) return 'PASSWORD'
  if (schema.type === 'boolean') return 'BOOLEAN'
  if (schema.type === 'integer') return 'LONG'
  return schema.type === 'number' ? 'DOUBLE' : 'STRING'
}

function expectedOf(schema: Schema): string | undefined {
  if (schema.expected !== undefined) return `Written as ${schema.expected}.`
  return connectType(schema) === 'STRING' && schema.type !== 'string' ? `JSON: ${typeOf(schema)}.` : undefined
}
