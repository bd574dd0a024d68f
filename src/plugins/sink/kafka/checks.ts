import { closest, distance } from 'fastest-levenshtein'
import rdkafka from 'node-rdkafka'
import type { ConfigProblem } from '../../../contract/index.js'
import { child } from '../../../lib/json/pointer.js'
import { GLOBAL_PROPERTIES, type Properties, TOPIC_PROPERTIES } from './properties.js'

interface Protection {
  readonly expected: string
  allows(value: string): boolean
  readonly reason: string
}

const only = (values: readonly string[], reason: string): Protection => ({
  expected: values.map((value) => JSON.stringify(value)).join(' or '),
  allows: (value) => values.includes(value),
  reason,
})
const between = (low: number, high: number, reason: string): Protection => ({
  expected: `a number from ${low} to ${high}`,
  allows: (value) => Number(value) >= low && Number(value) <= high,
  reason,
})
const never = (reason: string): Protection => ({
  expected: 'that it is left out',
  allows: () => false,
  reason,
})

const ACKS = only(['all', '-1'], 'Headgate responds with 2xx only when all in-sync replicas have the record')
const IN_FLIGHT = only(['1'], 'with more, a record can be written twice when a broker fails')
const RETRIES = between(
  1,
  2 ** 31 - 1,
  'without retries a moved leader fails records that could be delivered',
)
const BROKERS = never('`brokers` of the sink names them')

/** Properties on which the guarantees rest. A value that keeps them may be written; any other is a conflict. */
const PROTECTED: Readonly<{ [name: string]: Protection }> = {
  acks: ACKS,
  'request.required.acks': ACKS,
  'enable.idempotence': only(['true'], 'without it a retry writes a record twice'),
  'max.in.flight': IN_FLIGHT,
  'max.in.flight.requests.per.connection': IN_FLIGHT,
  retries: RETRIES,
  'message.send.max.retries': RETRIES,
  'queuing.strategy': only(['fifo'], 'records of one partition keep their order'),
  'enable.gapless.guarantee': only(['false'], 'one refused record would end the whole session'),
  'delivery.report.only.error': only(['false'], 'the response to the sender needs the report of success'),
  'log.queue': only(['false'], 'fatal errors are seen in the log of the client'),
  'internal.termination.signal': only(['0'], 'the signal could end the process'),
  enabled_events: never('delivery reports and errors arrive as events'),
  'transactional.id': never('the sink writes no transactions'),
  'bootstrap.servers': BROKERS,
  'metadata.broker.list': BROKERS,
}

const SECRET = /password|secret|passphrase|\.pem$|oauthbearer\.config/
const NAMES = [...GLOBAL_PROPERTIES, ...TOPIC_PROPERTIES]

/** Names of headers that Headgate sets itself. */
const OWN_HEADERS = 'headgate-'

export function* settingProblems(
  { headers, properties }: { readonly headers: object; readonly properties: Properties },
  clientCode: boolean | undefined,
): Generator<ConfigProblem> {
  yield* propertyProblems(properties, clientCode)
  for (const name of Object.keys(headers).filter((name) => name.toLowerCase().startsWith(OWN_HEADERS))) {
    const message = `Headers that start with ${OWN_HEADERS} are set by Headgate itself.`
    yield { at: child('/headers', name), code: 'HG_CONFIG_CONFLICT', message, expected: 'another name' }
  }
}

/** All problems of `properties` that can be found without a connection. */
export function* propertyProblems(properties: Properties, clientCode = false): Generator<ConfigProblem> {
  let isValid = true
  for (const problem of eachProblem(properties, clientCode)) {
    isValid = false
    yield problem
  }
  if (isValid) yield* loginProblems(properties)
}

/** The problems of each property by itself. */
function* eachProblem(properties: Properties, clientCode: boolean): Generator<ConfigProblem> {
  for (const [name, written] of Object.entries(properties)) {
    const at = child('/properties', name)
    const value = String(written)
    if (!isProperty(name)) {
      const similar = nearest(name)
      const message = `A Kafka producer has no property ${JSON.stringify(name)}.`
      yield {
        at,
        code: 'HG_CONFIG_UNKNOWN_KEY',
        message,
        ...(similar !== undefined && { suggestion: `Did you mean "${similar}"?` }),
      }
      continue
    }
    const protection = PROTECTED[name]
    if (protection !== undefined && !protection.allows(value)) {
      const { expected, reason } = protection
      yield { at, code: 'HG_CONFIG_CONFLICT', message: `${name} cannot be changed: ${reason}.`, expected }
      continue
    }
    const danger = dangerOf(name, value)
    if (danger !== undefined) {
      // Setting it would already load the library that it names, so librdkafka checks its value only when a client is made.
      if (clientCode) continue
      const message = `${name} is not allowed: ${danger}.`
      const suggestion = 'Leave it out, or set HEADGATE_ALLOW_CLIENT_CODE=true.'
      yield { at, code: 'HG_CONFIG_CONFLICT', message, suggestion }
      continue
    }
    const refusal = refusalOf(name, value)
    if (refusal !== undefined) yield { at, code: 'HG_CONFIG_VALUE', message: refusal }
  }
}

const isProperty = (name: string): boolean => GLOBAL_PROPERTIES.has(name) || TOPIC_PROPERTIES.has(name)

/** A name that lacks its unit (`linger` for `linger.ms`) is more probable than one that differs by letters. */
function nearest(name: string): string | undefined {
  const withUnit = NAMES.find((full) => [`${name}.ms`, `${name}.bytes`].includes(full))
  if (withUnit !== undefined) return withUnit
  const candidate = closest(name, NAMES)
  return distance(name, candidate) <= Math.max(2, name.length / 3) ? candidate : undefined
}

/**
 * The reason why librdkafka rejects a value. Creating a Producer without connecting it only checks the configuration.
 */
function refusalOf(name: string, value: string): string | undefined {
  const property = { [name]: value }
  try {
    if (TOPIC_PROPERTIES.has(name)) new rdkafka.Producer({}, property)
    else new rdkafka.Producer(property, {})
    return undefined
  } catch (error) {
    if (SECRET.test(name)) return `${name} has a value that it cannot have.`
    return `${(error instanceof Error ? error.message : String(error)).trim().replace(/\.?$/, '.')}`
  }
}

/**
 * Properties with which librdkafka loads a library or runs a program: anybody with write access to a config could run
 * code with them.
 */
const CODE_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['plugin.library.paths', 'it loads libraries'],
  ['ssl.engine.location', 'it loads a library'],
  ['ssl.engine.id', 'it loads a library'],
  ['ssl.providers', 'it loads libraries'],
  ['sasl.kerberos.kinit.cmd', 'it runs a command'],
])

/** Providers that come with OpenSSL. A name with a slash in it would be the path of a library. */
const OWN_PROVIDERS = /^(?:default|legacy|base|fips|null)(?:\s*,\s*(?:default|legacy|base|fips|null))*$/

/** Why a property is a danger; undefined if it is none. */
const dangerOf = (name: string, value: string): string | undefined =>
  name === 'ssl.providers' && OWN_PROVIDERS.test(value) ? undefined : CODE_PROPERTIES.get(name)

/** The feature of librdkafka that each mechanism needs, as `builtin.features` names it. */
const MECHANISMS: ReadonlyMap<string, string> = new Map([
  ['PLAIN', 'sasl_plain'],
  ['SCRAM-SHA-256', 'sasl_scram'],
  ['SCRAM-SHA-512', 'sasl_scram'],
  ['OAUTHBEARER', 'sasl_oauthbearer'],
  ['GSSAPI', 'sasl_gssapi'],
])

const MISSING_LIBRARY: ReadonlyMap<string, string> = new Map([
  ['GSSAPI', 'Install libsasl2-dev and run "npm rebuild node-rdkafka", or use another mechanism.'],
])

/** Whether this build of librdkafka has a feature. */
const has = (feature: string): boolean => rdkafka.features.includes(feature)

/** The problems of the login, as far as the properties show them. */
function* loginProblems(properties: Properties): Generator<ConfigProblem> {
  const protocol = String(properties['security.protocol'] ?? 'plaintext')
  if (!/^sasl_/i.test(protocol)) return
  const name = 'sasl.mechanisms' in properties ? 'sasl.mechanisms' : 'sasl.mechanism'
  const written = properties[name]
  // GSSAPI is the default of librdkafka.
  const mechanism = written === undefined ? 'GSSAPI' : String(written)
  const at = written === undefined ? '/properties/security.protocol' : `/properties/${name}`
  const possible = [...MECHANISMS].filter(([, feature]) => has(feature)).map(([name]) => name)
  const expected = possible.join(', ')
  const feature = MECHANISMS.get(mechanism)
  if (written === undefined && !has('sasl_gssapi')) {
    const message = `${protocol} needs "sasl.mechanism", which is not set.`
    yield { at, code: 'HG_CONFIG_VALUE', message, expected: `"sasl.mechanism" of ${expected}` }
  } else if (feature === undefined) {
    const message = `There is no SASL mechanism ${JSON.stringify(mechanism)}.`
    yield { at, code: 'HG_CONFIG_VALUE', message, expected }
  } else if (!has(feature)) {
    const suggestion = MISSING_LIBRARY.get(mechanism)
    const message = `The Kafka client of this installation was built without ${mechanism}.`
    yield { at, code: 'HG_CONFIG_VALUE', message, expected, ...(suggestion && { suggestion }) }
  } else yield* credentialProblems(mechanism, at, properties)
}

function* credentialProblems(
  mechanism: string,
  at: string,
  properties: Properties,
): Generator<ConfigProblem> {
  if (mechanism === 'OAUTHBEARER') {
    const isOidc = String(properties['sasl.oauthbearer.method'] ?? '').toLowerCase() === 'oidc'
    const isUnsecured = String(properties['enable.sasl.oauthbearer.unsecure.jwt'] ?? '') === 'true'
    if (isOidc || isUnsecured) return
    const message = 'OAUTHBEARER has no source of tokens.'
    const suggestion = has('oidc')
      ? undefined
      : 'The Kafka client of this installation was built without libcurl, which a token endpoint needs: install libcurl4-openssl-dev and run "npm rebuild node-rdkafka", or use another mechanism.'
    const expected = '"sasl.oauthbearer.method": "oidc" with "sasl.oauthbearer.token.endpoint.url"'
    yield { at, code: 'HG_CONFIG_VALUE', message, expected, ...(suggestion && { suggestion }) }
    return
  }
  if (mechanism === 'GSSAPI') return
  const missing = ['sasl.username', 'sasl.password'].filter((name) => String(properties[name] ?? '') === '')
  if (missing.length === 0) return
  const names = missing.map((name) => `"${name}"`).join(' and ')
  const message = `${mechanism} needs ${names}, which ${missing.length === 1 ? 'is' : 'are'} not set.`
  yield { at, code: 'HG_CONFIG_VALUE', message, expected: `${names} in \`properties\`` }
}
