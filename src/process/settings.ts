import convict from 'convict'
import { distance } from 'fastest-levenshtein'
import { hasStrangers, parseNetwork } from '../lib/networks.js'

export interface Setting<Value extends string | number | boolean> {
  readonly env: `HEADGATE_${string}`
  readonly default: Value
  readonly doc: string
  /** Describes the valid texts to people; continues "should be". */
  readonly expected: string
  /** All valid texts, if there are few. */
  readonly values?: readonly string[]
  /** Whether the value is the path of a file or a folder. */
  readonly isPath?: true
  isValid(text: string): boolean
  /** The value of a valid text: environment variables and flags are text. */
  parse(text: string): Value
}

type Env = Setting<string>['env']

const matching = (
  env: Env,
  preset: string,
  { pattern, expected }: { readonly pattern: RegExp; readonly expected: string },
  doc: string,
): Setting<string> => ({
  env,
  default: preset,
  doc,
  expected,
  isValid: (text) => pattern.test(text),
  parse: (text) => text,
})

const NOT_EMPTY = { pattern: /\S/, expected: 'some text' }
const ANYTHING = { pattern: /^/, expected: 'a path' }
const DURATION = {
  pattern: /^[0-9]{1,9}(ms|s|m|h|d)$/,
  expected: 'a duration such as "500ms", "30s" or "5m"',
}
const SIZE = { pattern: /^[1-9][0-9]{0,8}(B|KiB|MiB)$/, expected: 'a size such as "64KiB" or "256MiB"' }
const OPEN_PATHS = {
  pattern: /^(none|(health|ready|metrics)(,(health|ready|metrics))*)$/,
  expected: 'none, or some of health, ready, metrics with commas between them',
}

const text = (env: Env, preset: string, doc: string) => matching(env, preset, NOT_EMPTY, doc)
const path = (env: Env, doc: string, preset = '') =>
  ({ ...matching(env, preset, preset === '' ? ANYTHING : NOT_EMPTY, doc), isPath: true }) as const
const duration = (env: Env, preset: string, doc: string) => matching(env, preset, DURATION, doc)
const size = (env: Env, preset: string, doc: string) => matching(env, preset, SIZE, doc)

const flag = (env: Env, doc: string): Setting<boolean> => ({
  env,
  default: false,
  doc,
  expected: 'true or false',
  isValid: (text) => /^(true|false)$/.test(text),
  parse: (text) => text === 'true',
})

const integer = (
  env: Env,
  preset: number,
  { from, to }: { readonly from: number; readonly to: number },
  doc: string,
): Setting<number> => ({
  env,
  default: preset,
  doc,
  expected: `a whole number from ${from} to ${to}`,
  isValid: (text) =>
    Number.isInteger(Number(text)) && text.trim() !== '' && Number(text) >= from && Number(text) <= to,
  parse: Number,
})

/** None if it is empty. */
const networks = (env: Env, doc: string): Setting<string> => ({
  env,
  default: '',
  doc,
  expected: 'networks such as 10.0.0.0/8, with commas between them',
  isValid: (text) => text === '' || text.split(',').every((each) => parseNetwork(each) !== undefined),
  parse: (text) => text,
})

const oneOf = <const Value extends string>(
  env: Env,
  preset: NoInfer<Value>,
  values: readonly Value[],
  doc: string,
): Setting<Value> => ({
  env,
  default: preset,
  doc,
  expected: `one of ${values.join(', ')}`,
  values,
  isValid: (text) => values.some((value) => value === text),
  parse: (text) => text as Value,
})

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/**
 * The only declaration of the settings of the process: addresses, state directory, log. The types, the flags, the help and the
 * page of the docs are derived from it. The config file configures the processing of events. An empty path means no file.
 */
export const SETTINGS = {
  config: path('HEADGATE_CONFIG', 'The config file.', './plugins.config.json'),
  host: text('HEADGATE_HOST', '127.0.0.1', 'Address that senders reach.'),
  port: integer(
    'HEADGATE_PORT',
    8080,
    { from: 0, to: 65535 },
    'Port that senders reach; 0 chooses a free port.',
  ),
  adminHost: text(
    'HEADGATE_ADMIN_HOST',
    '127.0.0.1',
    'Address of the admin listener: health, readiness, metrics, and the API for operators.',
  ),
  adminPort: integer(
    'HEADGATE_ADMIN_PORT',
    8083,
    { from: 0, to: 65535 },
    'Port of the admin listener; 0 chooses a free port.',
  ),
  adminTokenFile: path(
    'HEADGATE_ADMIN_TOKEN_FILE',
    'File of bearer tokens, one per line. Each request to the admin listener needs one of them, except for the open paths. Headgate reads the file again at every request. `generate`: Headgate makes a token in the state directory, where its commands on the same machine find it. `none`: only the open paths are served. Without this setting every path is served, but only on loopback: Headgate does not start if the admin listener has another address.',
  ),
  adminOpen: matching(
    'HEADGATE_ADMIN_OPEN',
    'health,ready,metrics',
    OPEN_PATHS,
    'Which of health, ready and metrics the admin listener serves without a token, or `none`.',
  ),
  configWritable: flag(
    'HEADGATE_CONFIG_WRITABLE',
    'Lets the admin API change the config file; the folder of the file has to be writable.',
  ),
  stateDir: path(
    'HEADGATE_STATE_DIR',
    'Folder of the ledger, which records the events that are in Kafka and the pending acknowledgements.',
    './.headgate',
  ),
  logLevel: oneOf('HEADGATE_LOG_LEVEL', 'info', LOG_LEVELS, `How much is logged: ${LOG_LEVELS.join(', ')}.`),
  logFormat: oneOf(
    'HEADGATE_LOG_FORMAT',
    'auto',
    ['auto', 'json', 'pretty'],
    'json, pretty, or auto: pretty if the output is a terminal, otherwise json.',
  ),
  shutdownTimeout: duration(
    'HEADGATE_SHUTDOWN_TIMEOUT',
    '25s',
    'How long a stop waits for events in flight and for acknowledgements.',
  ),
  maxConnections: integer(
    'HEADGATE_MAX_CONNECTIONS',
    1000,
    { from: 1, to: 1_000_000 },
    'Connections of senders at once; each takes a file descriptor. With HTTP/2, each further open request of a connection counts as one. For one more, Headgate closes the connection that has been idle longest; if none is idle, it closes the new one. If the process has too few descriptors, the bound is lower, and a warning says so.',
  ),
  maxBodyMemory: size(
    'HEADGATE_MAX_BODY_MEMORY',
    '256MiB',
    'Bytes of bodies that are still being received and of events in flight, all pipelines together; beyond this bound the response to senders is 503. It cannot be smaller than the largest `maxBody`.',
  ),
  proxyProtocol: networks(
    'HEADGATE_PROXY_PROTOCOL',
    'Networks of load balancers that begin each connection to the intake listener with a header of PROXY protocol, version 1 or 2: the address in it is that of the sender. A connection from there without the header is closed; from elsewhere, none is expected.',
  ),
  recordKeyFile: path(
    'HEADGATE_RECORD_KEY_FILE',
    'File with a key of at least 16 characters. The key proves that Headgate wrote a record in Kafka; when Headgate reads records back, it ignores all others. Without this setting, each pipeline derives a key from the secrets in its own config.',
  ),
  workers: integer(
    'HEADGATE_WORKERS',
    0,
    { from: 0, to: 64 },
    'Worker processes, which receive events, apply the transforms and make the acknowledge calls; the main process writes to Kafka and keeps the ledger. A pipeline with an inbox, or of the source `kafka`, runs whole in each worker, which is an instance of it. 0: one process does everything. Each worker has an equal share of HEADGATE_MAX_CONNECTIONS, HEADGATE_MAX_BODY_MEMORY and `maxInFlight`; if pipelines run whole in them, of `maxPending`, and of `concurrency` and `rate` of the post-commit stages, too.',
  ),
  takeover: flag(
    'HEADGATE_TAKEOVER',
    'Takes over from the process that uses the state directory: Headgate opens the same ports, asks that process to stop, and processes events when it has ended; meanwhile requests wait. The process that runs must have been started with this setting, too. Needs Node.js 22.12 or later on Linux and one network (not two containers with ports of their own), and does not work together with HEADGATE_WORKERS or with passed sockets.',
  ),
  allowUnverified: flag(
    'HEADGATE_ALLOW_UNVERIFIED',
    'Accepts sources with "verify": {"scheme": "none"} on an address that is not loopback.',
  ),
  allowClientCode: flag(
    'HEADGATE_ALLOW_CLIENT_CODE',
    'Accepts properties with which a Kafka client loads libraries or runs programs: plugin.library.paths, ssl.engine.location, ssl.engine.id, sasl.kerberos.kinit.cmd, and ssl.providers that do not come with OpenSSL. With this setting, everybody who can change the config file can run code.',
  ),
  tlsCert: path(
    'HEADGATE_TLS_CERT',
    'Certificate of the intake listener, which then speaks HTTPS (PEM, the certificate of the server first). Headgate reads the file again when it changes.',
  ),
  tlsKey: path('HEADGATE_TLS_KEY', 'Key of that certificate (PEM, not encrypted).'),
  tlsClientCa: path(
    'HEADGATE_TLS_CLIENT_CA',
    'Certificate authorities (PEM): every sender then needs a client certificate from one of them.',
  ),
  http2: oneOf(
    'HEADGATE_HTTP2',
    'on',
    ['on', 'off'],
    'Whether the intake listener offers HTTP/2 to senders if it speaks HTTPS: on or off. It speaks HTTP/1.1 in any case.',
  ),
  adminTlsCert: path(
    'HEADGATE_ADMIN_TLS_CERT',
    'Certificate of the admin listener, which then speaks HTTPS (PEM). Headgate reads the file again when it changes.',
  ),
  adminTlsKey: path('HEADGATE_ADMIN_TLS_KEY', 'Key of that certificate (PEM, not encrypted).'),
  adminTlsClientCa: path(
    'HEADGATE_ADMIN_TLS_CLIENT_CA',
    'Certificate authorities (PEM): every client of the admin listener, probes included, then needs a client certificate from one of them.',
  ),
} satisfies { readonly [name: string]: Setting<string> | Setting<number> | Setting<boolean> }

export type Settings = { readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name]['default'] }

/** The command-line flag of a setting: `admin-port` for HEADGATE_ADMIN_PORT. */
export const flagOf = ({ env }: Pick<Setting<string>, 'env'>): string =>
  env.slice('HEADGATE_'.length).toLowerCase().replaceAll('_', '-')

/** The flag with its argument, as commander writes it. */
export const flagsOf = (setting: Setting<string> | Setting<number> | Setting<boolean>): string =>
  typeof setting.default === 'boolean'
    ? `--${flagOf(setting)}`
    : `--${flagOf(setting)} <${setting.isPath ? 'path' : 'value'}>`

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] }

type Environment = Readonly<{ [name: string]: string | undefined }>

/** Reads the settings. A flag overrides its environment variable, which overrides the default. */
export function readSettings(
  environment: Environment,
  flags: Readonly<{ [name in keyof Settings]?: string }>,
): SettingsResult {
  const problems: string[] = []
  const schema = Object.entries(SETTINGS).map(([name, setting]) => {
    const format = (value: unknown): void => {
      if (!setting.isValid(String(value))) problems.push(invalid(setting, String(value)))
    }
    // As text: convict would read "80a" as the number 80.
    const { doc, env, default: preset } = setting
    return [name, { doc, env, arg: flagOf(setting), format, default: String(preset) }]
  })
  const args = Object.entries(flags).map(
    ([name, value]) => `--${flagOf(SETTINGS[name as keyof Settings])}=${value}`,
  )
  const loaded = convict(Object.fromEntries(schema), { env: { ...environment }, args }).validate()
  if (problems.length > 0) return { ok: false, problems }
  const texts = loaded.getProperties() as { readonly [name: string]: unknown }
  const settings = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, { parse }]) => [name, parse(String(texts[name]))]),
  ) as Settings
  const conflicts = [
    ...incompleteTls(settings, 'tlsCert', 'tlsKey', 'tlsClientCa'),
    ...incompleteTls(settings, 'adminTlsCert', 'adminTlsKey', 'adminTlsClientCa'),
    ...(settings.takeover && settings.workers > 0
      ? ['HEADGATE_TAKEOVER and HEADGATE_WORKERS do not work together; set only one of them.']
      : []),
  ]
  return conflicts.length > 0 ? { ok: false, problems: conflicts } : { ok: true, settings }
}

function invalid(setting: Pick<Setting<string>, 'env' | 'expected'>, value: string): string {
  const kubernetes = value.startsWith('tcp://')
    ? ' Kubernetes sets it for a Service of this name: set enableServiceLinks: false on the pod.'
    : ''
  return `${setting.env} (--${flagOf(setting)}) should be ${setting.expected}; it is ${JSON.stringify(value)}.${kubernetes}`
}

/** TLS needs both a certificate and its key. */
function incompleteTls(
  settings: Settings,
  cert: keyof Settings,
  key: keyof Settings,
  clientCa: keyof Settings,
): string[] {
  const [present] = [cert, key, clientCa].filter((name) => settings[name] !== '')
  if (present === undefined) return []
  return [cert, key]
    .filter((name) => settings[name] === '')
    .map((name) => `${SETTINGS[present].env} needs ${SETTINGS[name].env} too.`)
}

/** Edits from one name to the other. */
const LARGEST_DISTANCE = 2

/**
 * A sentence for each environment variable with a name that is close to an unset setting. Other variables with the prefix can
 * be anything, such as a secret that the config refers to.
 */
export function closestMatches(environment: Environment): string[] {
  const names: readonly string[] = Object.values(SETTINGS).map(({ env }) => env)
  const unset = names.filter((name) => environment[name] === undefined)
  const others = Object.keys(environment).filter(
    (name) => name.toUpperCase().startsWith('HEADGATE_') && !names.includes(name),
  )
  return others.flatMap((name) => {
    const [closest] = unset
      .map((env) => ({ env, edits: distance(env, name.toUpperCase()) }))
      .sort((a, b) => a.edits - b.edits)
    return closest === undefined || closest.edits > LARGEST_DISTANCE
      ? []
      : [`The variable ${name} has no effect: there is no such setting. Did you mean ${closest.env}?`]
  })
}

/** A sentence for each value that is allowed and probably a mistake. */
export const settingWarnings = ({ proxyProtocol }: Settings): string[] =>
  proxyProtocol
    .split(',')
    .filter(hasStrangers)
    .map(
      (network) =>
        `The network ${network} in ${SETTINGS.proxyProtocol.env} has addresses that are not those of your load balancers. A sender in it chooses the address that Headgate takes for its own. Name the networks of the load balancers alone, such as 10.0.0.0/8.`,
    )
