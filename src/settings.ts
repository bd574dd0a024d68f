import convict from 'convict'

/** Settings of the process: where it listens, what it reads, how it logs. What it does stands in the config file. */
export interface Settings {
  readonly config: string
  readonly host: string
  readonly port: number
  readonly adminHost: string
  readonly adminPort: number
  readonly stateDir: string
  readonly logLevel: string
  readonly logFormat: 'auto' | 'json' | 'pretty'
  readonly shutdownTimeout: string
  readonly maxConnections: number
  readonly maxBodyMemory: string
  readonly allowUnverified: boolean
}

interface Declaration {
  readonly doc: string
  readonly default: string | number | boolean
  readonly env: `HEADGATE_${string}`
  readonly arg: string
  /** Returns what should stand there, where `value` is wrong. */
  readonly wrong: (value: unknown) => string | undefined
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
const LOG_FORMATS = ['auto', 'json', 'pretty']

const oneOf = (values: readonly string[]) => (value: unknown) =>
  values.includes(String(value)) ? undefined : `one of ${values.join(', ')}`
const integer = (from: number, to: number) => (value: unknown) =>
  Number.isInteger(Number(value)) &&
  String(value).trim() !== '' &&
  Number(value) >= from &&
  Number(value) <= to
    ? undefined
    : `a whole number from ${from} to ${to}`
const duration = (value: unknown) =>
  /^[0-9]{1,9}(ms|s|m|h|d)$/.test(String(value)) ? undefined : 'a duration such as "500ms", "30s" or "5m"'
const size = (value: unknown) =>
  /^[1-9][0-9]{0,8}(B|KiB|MiB)$/.test(String(value)) ? undefined : 'a size such as "64KiB" or "256MiB"'
const truth = (value: unknown) => (/^(true|false)$/.test(String(value)) ? undefined : 'true or false')
const text = (value: unknown) => (String(value).trim() === '' ? 'some text' : undefined)

/** The one declaration of every process setting: environment variable, flag, default and meaning. */
export const SETTINGS: { readonly [name in keyof Settings]: Declaration } = {
  config: {
    env: 'HEADGATE_CONFIG',
    arg: 'config',
    default: './plugins.config.json',
    wrong: text,
    doc: 'The config file.',
  },
  host: {
    env: 'HEADGATE_HOST',
    arg: 'host',
    default: '127.0.0.1',
    wrong: text,
    doc: 'Address that senders reach.',
  },
  port: {
    env: 'HEADGATE_PORT',
    arg: 'port',
    default: 8080,
    wrong: integer(0, 65535),
    doc: 'Port that senders reach; 0 takes a free one.',
  },
  adminHost: {
    env: 'HEADGATE_ADMIN_HOST',
    arg: 'admin-host',
    default: '127.0.0.1',
    wrong: text,
    doc: 'Address of health, readiness and metrics.',
  },
  adminPort: {
    env: 'HEADGATE_ADMIN_PORT',
    arg: 'admin-port',
    default: 8083,
    wrong: integer(0, 65535),
    doc: 'Port of health, readiness and metrics; 0 takes a free one.',
  },
  stateDir: {
    env: 'HEADGATE_STATE_DIR',
    arg: 'state-dir',
    default: './.headgate',
    wrong: text,
    doc: 'Folder of the ledger: what is in Kafka, and what is still to be acknowledged.',
  },
  logLevel: {
    env: 'HEADGATE_LOG_LEVEL',
    arg: 'log-level',
    default: 'info',
    wrong: oneOf(LOG_LEVELS),
    doc: `How much is logged: ${LOG_LEVELS.join(', ')}.`,
  },
  logFormat: {
    env: 'HEADGATE_LOG_FORMAT',
    arg: 'log-format',
    default: 'auto',
    wrong: oneOf(LOG_FORMATS),
    doc: 'json, pretty, or auto: pretty where a person reads it on a terminal.',
  },
  shutdownTimeout: {
    env: 'HEADGATE_SHUTDOWN_TIMEOUT',
    arg: 'shutdown-timeout',
    default: '25s',
    wrong: duration,
    doc: 'How long a stop waits for what is in flight and for acknowledgements.',
  },
  maxConnections: {
    env: 'HEADGATE_MAX_CONNECTIONS',
    arg: 'max-connections',
    default: 1000,
    wrong: integer(1, 1_000_000),
    doc: 'Connections of senders at once, each of which takes a file descriptor; more are closed as soon as they are made.',
  },
  maxBodyMemory: {
    env: 'HEADGATE_MAX_BODY_MEMORY',
    arg: 'max-body-memory',
    default: '256MiB',
    wrong: size,
    doc: 'Bytes of bodies that are still coming in and of events in flight, all pipelines together; beyond it senders are answered 503. It cannot be smaller than the largest `maxBody`.',
  },
  allowUnverified: {
    env: 'HEADGATE_ALLOW_UNVERIFIED',
    arg: 'allow-unverified',
    default: false,
    wrong: truth,
    doc: 'Accepts sources with "verify": {"scheme": "none"} on an address that is not loopback.',
  },
}

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Reads the settings: a flag counts before its environment variable, that before the default. */
export function readSettings(
  environment: Readonly<{ [name: string]: string | undefined }>,
  flags: Readonly<{ [name in keyof Settings]?: string }>,
): SettingsResult {
  const problems: string[] = []
  const schema = Object.entries(SETTINGS).map(([name, { doc, default: preset, env, arg, wrong }]) => {
    const format = (value: unknown): void => {
      const expected = wrong(value)
      if (expected !== undefined) problems.push(complaint(env, arg, expected, value))
    }
    // As text: convict would read "80a" as the number 80.
    return [name, { doc, env, arg, format, default: String(preset) }]
  })
  const args = Object.entries(flags).map(
    ([name, value]) => `--${SETTINGS[name as keyof Settings].arg}=${value}`,
  )
  const loaded = convict(Object.fromEntries(schema), { env: { ...environment }, args }).validate()
  if (problems.length > 0) return { ok: false, problems }
  const values = Object.entries(SETTINGS).map(([name, { default: preset }]) => [
    name,
    typed((loaded.getProperties() as { [name: string]: unknown })[name], preset),
  ])
  return { ok: true, settings: Object.fromEntries(values) }
}

function complaint(env: string, arg: string, expected: string, value: unknown): string {
  const kubernetes = /^tcp:\/\//.test(String(value))
    ? ' Kubernetes sets it for a Service of this name: set enableServiceLinks: false on the pod.'
    : ''
  return `${env} (--${arg}) should be ${expected}; it is ${JSON.stringify(String(value))}.${kubernetes}`
}

/** Environment variables and flags are text; the default says what they stand for. */
function typed(value: unknown, preset: string | number | boolean): string | number | boolean {
  if (typeof preset === 'number') return Number(value)
  return typeof preset === 'boolean' ? String(value) === 'true' : String(value)
}
