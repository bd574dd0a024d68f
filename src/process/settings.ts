import convict from 'convict'

/** Settings of the process: where it listens, what it reads, how it logs. What it does stands in the config file. */
export interface Settings {
  readonly config: string
  readonly host: string
  readonly port: number
  readonly adminHost: string
  readonly adminPort: number
  readonly adminTokenFile: string
  readonly adminOpen: string
  readonly configWritable: boolean
  readonly stateDir: string
  readonly logLevel: string
  readonly logFormat: 'auto' | 'json' | 'pretty'
  readonly shutdownTimeout: string
  readonly maxConnections: number
  readonly maxBodyMemory: string
  readonly workers: number
  readonly recordKeyFile: string
  readonly takeover: boolean
  readonly allowUnverified: boolean
  readonly allowClientCode: boolean
  /** Paths; empty where there is none. */
  readonly tlsCert: string
  readonly tlsKey: string
  readonly tlsClientCa: string
  readonly adminTlsCert: string
  readonly adminTlsKey: string
  readonly adminTlsClientCa: string
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
const anything = () => undefined
const openPaths = (value: unknown) =>
  /^(none|(health|ready|metrics)(,(health|ready|metrics))*)$/.test(String(value))
    ? undefined
    : 'none, or some of health, ready, metrics with commas between them'
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
    doc: 'Address of the admin listener: health, readiness, metrics, and the API for operators.',
  },
  adminPort: {
    env: 'HEADGATE_ADMIN_PORT',
    arg: 'admin-port',
    default: 8083,
    wrong: integer(0, 65535),
    doc: 'Port of the admin listener; 0 takes a free one.',
  },
  adminTokenFile: {
    env: 'HEADGATE_ADMIN_TOKEN_FILE',
    arg: 'admin-token-file',
    default: '',
    wrong: anything,
    doc: 'File of bearer tokens, one a line, of which the admin listener wants one for everything but the open paths; read again at every request. `generate`: a token is made in the state directory, where the commands of Headgate on the same machine find it. `none`: only the open paths are served. Without it everything is served, but on loopback only: beyond it Headgate does not start.',
  },
  adminOpen: {
    env: 'HEADGATE_ADMIN_OPEN',
    arg: 'admin-open',
    default: 'health,ready,metrics',
    wrong: openPaths,
    doc: 'Which of health, ready and metrics the admin listener answers to everyone, or `none`.',
  },
  configWritable: {
    env: 'HEADGATE_CONFIG_WRITABLE',
    arg: 'config-writable',
    default: false,
    wrong: truth,
    doc: 'Lets the admin API change the config file; the folder of the file has to be writable.',
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
    doc: 'Connections of senders at once, each of which takes a file descriptor. For one more, the connection that has waited longest for a request is closed; if none waits, the new one is. With too few descriptors the bound is lower, and a warning says so.',
  },
  maxBodyMemory: {
    env: 'HEADGATE_MAX_BODY_MEMORY',
    arg: 'max-body-memory',
    default: '256MiB',
    wrong: size,
    doc: 'Bytes of bodies that are still coming in and of events in flight, all pipelines together; beyond it senders are answered 503. It cannot be smaller than the largest `maxBody`.',
  },
  recordKeyFile: {
    env: 'HEADGATE_RECORD_KEY_FILE',
    arg: 'record-key-file',
    default: '',
    wrong: anything,
    doc: 'File of a key of at least 16 characters. It proves which records in Kafka were written by Headgate, so that no others are believed when they are read back. Without it, each pipeline has a key made of the secrets in its own config.',
  },
  workers: {
    env: 'HEADGATE_WORKERS',
    arg: 'workers',
    default: 0,
    wrong: integer(0, 64),
    doc: 'Processes that take events in, apply the transforms and make the acknowledge calls, beside the one that writes to Kafka and keeps the ledger; 0: one process does everything. Each has an equal share of HEADGATE_MAX_CONNECTIONS, HEADGATE_MAX_BODY_MEMORY and `maxInFlight`.',
  },
  takeover: {
    env: 'HEADGATE_TAKEOVER',
    arg: 'takeover',
    default: false,
    wrong: truth,
    doc: 'The start takes over from the process that uses the state directory: it opens the ports next to that process, asks it to stop, and takes events when that has ended; meanwhile requests wait. The process that runs has to have been started with it, too. Needs Node.js 22.12 or later on Linux, one network (not two containers with ports of their own), and does not work together with HEADGATE_WORKERS or with passed sockets.',
  },
  allowUnverified: {
    env: 'HEADGATE_ALLOW_UNVERIFIED',
    arg: 'allow-unverified',
    default: false,
    wrong: truth,
    doc: 'Accepts sources with "verify": {"scheme": "none"} on an address that is not loopback.',
  },
  allowClientCode: {
    env: 'HEADGATE_ALLOW_CLIENT_CODE',
    arg: 'allow-client-code',
    default: false,
    wrong: truth,
    doc: 'Accepts properties with which a Kafka client loads libraries or runs programs: plugin.library.paths, ssl.engine.location, ssl.engine.id, sasl.kerberos.kinit.cmd, and ssl.providers that do not come with OpenSSL. With it, everybody who can change the config file can run code.',
  },
  tlsCert: {
    env: 'HEADGATE_TLS_CERT',
    arg: 'tls-cert',
    default: '',
    wrong: anything,
    doc: 'Certificate of the intake listener, which then speaks HTTPS (PEM, the certificate of the server first). Read again when it changes.',
  },
  tlsKey: {
    env: 'HEADGATE_TLS_KEY',
    arg: 'tls-key',
    default: '',
    wrong: anything,
    doc: 'Key of that certificate (PEM, not encrypted).',
  },
  tlsClientCa: {
    env: 'HEADGATE_TLS_CLIENT_CA',
    arg: 'tls-client-ca',
    default: '',
    wrong: anything,
    doc: 'Authorities (PEM): senders then have to show a client certificate that one of them vouches for.',
  },
  adminTlsCert: {
    env: 'HEADGATE_ADMIN_TLS_CERT',
    arg: 'admin-tls-cert',
    default: '',
    wrong: anything,
    doc: 'Certificate of the admin listener, which then speaks HTTPS (PEM). Read again when it changes.',
  },
  adminTlsKey: {
    env: 'HEADGATE_ADMIN_TLS_KEY',
    arg: 'admin-tls-key',
    default: '',
    wrong: anything,
    doc: 'Key of that certificate (PEM, not encrypted).',
  },
  adminTlsClientCa: {
    env: 'HEADGATE_ADMIN_TLS_CLIENT_CA',
    arg: 'admin-tls-client-ca',
    default: '',
    wrong: anything,
    doc: 'Authorities (PEM): whoever asks the admin listener then has to show a client certificate that one of them vouches for, probes included.',
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
  const settings = Object.fromEntries(values) as Settings
  const conflicts = [
    ...halves(settings, 'tlsCert', 'tlsKey', 'tlsClientCa'),
    ...halves(settings, 'adminTlsCert', 'adminTlsKey', 'adminTlsClientCa'),
    ...(settings.takeover && settings.workers > 0
      ? ['HEADGATE_TAKEOVER and HEADGATE_WORKERS do not work together; set only one of them.']
      : []),
  ]
  return conflicts.length > 0 ? { ok: false, problems: conflicts } : { ok: true, settings }
}

/** A certificate is nothing without its key, and neither speaks TLS without the other. */
function halves(
  settings: Settings,
  cert: keyof Settings,
  key: keyof Settings,
  clientCa: keyof Settings,
): string[] {
  const missing = [cert, key].filter((name) => settings[name] === '')
  const given = [cert, key, clientCa].filter((name) => settings[name] !== '')
  return given.length === 0
    ? []
    : missing.map(
        (name) => `${SETTINGS[given[0] as keyof Settings].env} needs ${SETTINGS[name].env} beside it.`,
      )
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
