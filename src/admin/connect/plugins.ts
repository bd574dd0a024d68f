import { type Schema, typeOf } from '../../config/editor-schema.js'
import { ConfigFile } from '../../config/schema.js'
import { HIDDEN, secretPlaces } from '../../config/secrets.js'
import { HeadgateError } from '../../contract/errors.js'
import type { AnyDefinition, Kind } from '../../contract/index.js'
import { pointer as compilePointer } from '../../lib/json/pointer.js'
import { type Answer, failure, get, json, put, type Route } from '../routes.js'
import { type Connect, fromText, isObject, PIPELINE_CLASS, toPipeline } from './connect.js'
import { candidate } from './write.js'

/** A complaint, and the setting that it is of; empty where it is of none. */
interface Complaint {
  readonly setting: string
  readonly message: string
}

/** What pipelines can be made of, and whether a config would be taken. Nothing is started for that. */
export function pluginRoutes(connect: Connect): Route[] {
  const { version } = connect
  const known = (): AnyDefinition[] => {
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
    answer: (definition: AnyDefinition, body: unknown) => Answer | Promise<Answer>,
  ): Route['answer'] => {
    return ({ params, body }) => {
      const definition = known().find(({ name }) => name === params['plugin'])
      return definition === undefined
        ? failure(
            404,
            `Unknown plugin ${params['plugin']}; GET /connector-plugins?connectorsOnly=false lists them.`,
          )
        : answer(definition, body)
    }
  }
  return [
    get('/connector-plugins', ({ query }) => {
      const pipeline = { class: PIPELINE_CLASS, type: 'source', version }
      if (query.get('connectorsOnly') !== 'false') return json(200, [pipeline])
      const others = known().map(({ name, kind }) => ({
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
        inTime(validatePipeline(connect, body)),
      ),
    ),
    put(
      '/connector-plugins/{plugin}/config/validate',
      plugin((definition, body) => inTime(validateStage(connect, definition, body))),
    ),
  ]
}

/** A class can be asked for by its whole name and, as in Kafka Connect, by the last part of it. */
const PIPELINE_NAMES = [PIPELINE_CLASS, PIPELINE_CLASS.slice(PIPELINE_CLASS.lastIndexOf('.') + 1)]

const inTime = (answer: Promise<Answer>): Promise<Answer> =>
  answer.catch((thrown: unknown) => {
    if (thrown instanceof HeadgateError) return failure(503, thrown.message)
    throw thrown
  })

const pipelineSettings = (): SettingDefinition[] =>
  definitionsOf(
    Object.values((ConfigFile as Schema).properties?.['pipelines']?.patternProperties ?? {})[0] ?? {},
    'pipeline',
  )

async function validatePipeline(connect: Connect, body: unknown): Promise<Answer> {
  const name = isObject(body) ? body['name'] : undefined
  if (typeof name !== 'string') return failure(400, 'The config has to have a "name".')
  const pipeline = toPipeline(name, body)
  if (typeof pipeline === 'string') return failure(400, pipeline)
  // What references stand for could show in a message: only those are looked up that the config has already.
  const [strange] = connect.writable
    ? []
    : referencesIn(body).filter((one) => !ownReferences(connect).has(one))
  if (strange !== undefined)
    return failure(
      403,
      `${strange} is no reference of the config that runs, and HEADGATE_CONFIG_WRITABLE is not set.`,
    )
  const verdict = await connect.questions.file(await candidate(connect.file, name, pipeline), false)
  const within = ['pipelines', name]
  const complaints = (verdict.ok ? [] : verdict.problems).map(
    ({ pointer, code, message, expected, suggestion }) => {
      const tokens = compilePointer(pointer).tokens
      const isOwn = within.every((token, index) => tokens[index] === token)
      const words = [message, expected && `Expected: ${expected}.`, suggestion].filter(Boolean).join(' ')
      return { setting: (isOwn && tokens[2]) || '', message: connect.redact(`${code}: ${pointer}: ${words}`) }
    },
  )
  return json(200, infos(PIPELINE_CLASS, pipelineSettings(), pipeline, [], complaints))
}

const referencesIn = (value: unknown): string[] => JSON.stringify(value).match(/\$\{[^}]*\}/g) ?? []
const ownReferences = ({ reloader }: Connect): Set<string> => new Set(referencesIn(reloader.config().written))

const PLACE_OF: { readonly [kind in Kind]: string } = {
  source: 'source',
  transform: 'transforms',
  sink: 'sink',
  'post-commit': 'postCommit',
}

/** Nothing is looked up: a setting that holds a reference is not judged. */
async function validateStage(
  { questions, redact, plugins }: Connect,
  definition: AnyDefinition,
  body: unknown,
): Promise<Answer> {
  if (!isObject(body)) return failure(400, 'The config should be an object.')
  const { name, kind, config: schema } = definition
  const settings = Object.fromEntries(Object.entries(body).map(([key, value]) => [key, fromText(value)]))
  const definitions = definitionsOf(schema as Schema, name)
  const verdict = await questions.stage(definition, settings)
  const found = verdict.ok ? [] : verdict.problems
  const complaints = found.map(({ pointer: at, code, message, suggestion }) => {
    const missing = definitions.find(
      ({ name: one, required }) => required && !(one in settings) && message.includes(`"${one}"`),
    )
    const setting = compilePointer(at).tokens[0] ?? missing?.name ?? ''
    const words = [message, suggestion].filter(Boolean).join(' ')
    return { setting, message: redact(`${code}: ${at === '' ? '' : `${at}: `}${words}`) }
  })
  const file = { pipelines: { it: { [PLACE_OF[kind]]: { plugin: name, config: settings } } } }
  const secrets = secretPlaces(file, { plugins: [...plugins, definition] }).flatMap(
    ({ pointer }) => compilePointer(pointer).tokens[4] ?? [],
  )
  const judged = complaints.filter(({ setting }) => referencesIn(settings[setting] ?? '').length === 0)
  return json(200, infos(name, definitions, settings, secrets, judged))
}

/** Kafka Connect's ConfigInfos. What is no setting has no definition. */
function infos(
  name: string,
  definitions: readonly SettingDefinition[],
  settings: { readonly [name: string]: unknown },
  secrets: readonly string[],
  complaints: readonly Complaint[],
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

/** The settings of a schema. Lists and objects are texts of JSON: Kafka Connect knows neither. */
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
