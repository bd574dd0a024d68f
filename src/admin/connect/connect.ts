import type { ConfigChecker } from '../../config/check-process.js'
import { HIDDEN } from '../../config/secrets.js'
import type { AnyDefinition } from '../../contract/index.js'
import type { Reloader } from '../../pipeline/reload/reloader.js'
import type { TargetStates } from '../../pipeline/target-state.js'
import type { LoggerLevels } from '../../process/logging.js'
import type { ConfigFile } from '../config/config-file.js'

/** The parts of the process behind the REST API of Kafka Connect. */
export interface Connect {
  readonly reloader: Pick<Reloader, 'running' | 'config' | 'reload' | 'restart'>
  readonly targetStates: TargetStates
  readonly loggers: LoggerLevels
  /** The built-in plugins. */
  readonly plugins: readonly AnyDefinition[]
  readonly version: string
  /** `host:port`, which identifies the process. */
  readonly worker: string
  readonly configFile: ConfigFile
  /** False until the pipelines have been started. */
  started(): boolean
  readonly checker: ConfigChecker
  redact(text: string): string
}

/** The only connector class: every pipeline is a connector of it. */
export const PIPELINE_CLASS = 'headgate.Pipeline'

/** A connector's config as Kafka Connect has it: strings by name. */
type ConnectorConfig = Readonly<{ [name: string]: string }>

/** Settings that every connector has in Kafka Connect, and a pipeline does not. */
const CONNECT_SETTINGS = ['name', 'connector.class', 'tasks.max']

/** A pipeline as a connector's config: each of its settings as JSON text, because clients expect strings. */
export function toConnectorConfig(name: string, pipeline: object, tasks: number): ConnectorConfig {
  const settings = Object.entries(pipeline).map(([key, value]) => [key, JSON.stringify(value)])
  return {
    name,
    'connector.class': PIPELINE_CLASS,
    'tasks.max': String(tasks),
    ...Object.fromEntries(settings),
  }
}

/** The pipeline of a connector's config, whose settings may be JSON or JSON as text. If it is not a pipeline, a string with the reason. */
export function toPipeline(name: string, config: unknown): { readonly [setting: string]: unknown } | string {
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    return 'The config should be an object.'
  const { name: named = name, 'connector.class': connectorClass = PIPELINE_CLASS } = config as ConnectorConfig
  if (named !== name)
    return `The "name" in the config is "${named}"; expected "${name}", the name of the connector.`
  if (connectorClass !== PIPELINE_CLASS)
    return `The connector.class should be "${PIPELINE_CLASS}"; there is no other.`
  if (JSON.stringify(config).includes(HIDDEN))
    return `"${HIDDEN}" replaces a secret that is written in the config file and is not shown. Send a \${env:...} or \${file:...} reference instead.`
  const settings = Object.entries(withoutKeys(config, CONNECT_SETTINGS))
  return Object.fromEntries(settings.map(([key, value]) => [key, fromText(value)]))
}

/** The value of a JSON text; any other text as it is. */
export function fromText(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

export const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const withoutKeys = (value: object, keys: readonly string[]): object =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
