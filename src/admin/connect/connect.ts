import { HIDDEN } from '../../config/secrets.js'
import type { AnyDefinition } from '../../contract/index.js'
import type { Reloader } from '../../pipeline/reload/reloader.js'
import type { TargetStates } from '../../pipeline/target-state.js'
import type { LoggerLevels } from '../../process/logging.js'
import type { ConfigQuestions } from './config-checker.js'

/** What the REST API of Kafka Connect is answered from. */
export interface Connect {
  readonly reloader: Pick<Reloader, 'running' | 'config' | 'reload' | 'restart'>
  readonly targetStates: TargetStates
  readonly loggers: LoggerLevels
  /** The built-in ones. */
  readonly plugins: readonly AnyDefinition[]
  readonly version: string
  /** `host:port`, by which people tell processes apart. */
  readonly worker: string
  /** Absolute path of the config file, and whether it may be written. */
  readonly file: string
  readonly writable: boolean
  /** False until the pipelines have been started. */
  started(): boolean
  readonly questions: ConfigQuestions
  redact(text: string): string
}

/** The one class of connectors that there is: every pipeline is one. */
export const PIPELINE_CLASS = 'headgate.Pipeline'

/** A connector's config as Kafka Connect has it: texts by name. */
type ConnectorConfig = Readonly<{ [name: string]: string }>

/** What Kafka Connect says of every connector, and a pipeline does not. */
const OF_CONNECT = ['name', 'connector.class', 'tasks.max']

/** A pipeline as a connector's config: each of its settings as JSON, for clients expect texts. */
export function toConnectorConfig(name: string, pipeline: object, tasks: number): ConnectorConfig {
  const settings = Object.entries(pipeline).map(([key, value]) => [key, JSON.stringify(value)])
  return {
    name,
    'connector.class': PIPELINE_CLASS,
    'tasks.max': String(tasks),
    ...Object.fromEntries(settings),
  }
}

/** The pipeline that a connector's config says; its settings may be JSON as text, or as such. A text where it is none. */
export function toPipeline(name: string, config: unknown): { readonly [setting: string]: unknown } | string {
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    return 'The config should be an object.'
  const { name: named = name, 'connector.class': itsClass = PIPELINE_CLASS } = config as ConnectorConfig
  if (named !== name) return `The config is of "${named}", and the connector is "${name}".`
  if (itsClass !== PIPELINE_CLASS) return `There is only the connector.class "${PIPELINE_CLASS}".`
  if (JSON.stringify(config).includes(HIDDEN))
    return `"${HIDDEN}" stands for a secret that is written in the config file and is not shown. Put a \${env:...} or \${file:...} reference there.`
  const settings = Object.entries(withoutKeys(config, OF_CONNECT))
  return Object.fromEntries(settings.map(([key, value]) => [key, fromText(value)]))
}

/** The JSON of a text; a text that is none, as it is. */
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
