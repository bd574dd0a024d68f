import { closest, distance } from 'fastest-levenshtein'
import rdkafka from 'node-rdkafka'
import type { ConfigProblem } from '../../../contract/index.js'
import { child } from '../../../lib/json/pointer.js'
import { dangerOf } from './code-properties.js'
import { loginProblems } from './login.js'
import { GLOBAL_PROPERTIES, TOPIC_PROPERTIES } from './property-names.js'

export type Properties = Readonly<{ [name: string]: string | number | boolean }>

/** The two arguments of a node-rdkafka Producer. */
export interface ClientConfig {
  readonly global: Readonly<{ [name: string]: string }>
  readonly topic: Readonly<{ [name: string]: string }>
}

/** What we set where `properties` does not say otherwise. */
export const DEFAULTS = {
  // Long, because a record that was given up may be in Kafka all the same, and sending it again would be a second one.
  'message.timeout.ms': '3600000',
  'linger.ms': '1',
  // A broker refuses a batch that is larger than max.message.bytes of the topic, and with it every record in it. Batches
  // far below most such limits mean that what is refused as too large was alone; see batch-limits.ts for the others.
  'batch.size': '65536',
  partitioner: 'murmur2_random',
  // What a broker takes unless it is told otherwise; librdkafka's own default is less than that.
  'message.max.bytes': '1048588',
  'topic.metadata.propagation.max.ms': '2000',
  'reconnect.backoff.max.ms': '2000',
  // Half of it passes before a new client goes on from the address that it was given to the broker that this belongs to.
  'reconnect.backoff.ms': '20',
  'statistics.interval.ms': '5000',
  // Asking whether a topic exists must not bring it into being: a typo would become a topic.
  'allow.auto.create.topics': 'false',
  'enable.metrics.push': 'false',
} as const

const REQUIRED = {
  'enable.idempotence': 'true',
  acks: 'all',
  // Of several requests under way, one that follows a refused one is out of order for the broker. librdkafka then numbers
  // all that it holds anew, for all partitions, and what another broker had taken before its connection broke is written a
  // second time (librdkafka, rdkafka_request.c, "skipped sequence numbers", and its issue 4953). It costs a round trip of
  // the network, no more: a broker answers the requests of one connection one after the other anyway, and only then reads on.
  'max.in.flight': '1',
} as const

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

const ACKS = only(['all', '-1'], 'an event is answered 2xx only when all in-sync replicas have its record')
const IN_FLIGHT = only(['1'], 'with more, a record can be written twice when a broker fails')
const RETRIES = between(
  1,
  2 ** 31 - 1,
  'without retries a moved leader fails records that could be delivered',
)
const BROKERS = never('`brokers` of the sink names them')

/** What the guarantees rest on. A value that keeps them may be written; any other is a conflict. */
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
  'delivery.report.only.error': only(['false'], 'the report of success is what answers the sender'),
  'log.queue': only(['false'], 'fatal errors are seen in the log of the client'),
  'internal.termination.signal': only(['0'], 'the signal could end the process'),
  enabled_events: never('delivery reports and errors arrive as events'),
  'transactional.id': never('the sink writes no transactions'),
  'bootstrap.servers': BROKERS,
  'metadata.broker.list': BROKERS,
}

const SECRET = /password|secret|passphrase|\.pem$|oauthbearer\.config/
const NAMES = [...GLOBAL_PROPERTIES, ...TOPIC_PROPERTIES]

/** All that is wrong with `properties`, as far as it can be told without a connection. */
export function* propertyProblems(properties: Properties, clientCode = false): Generator<ConfigProblem> {
  let areTaken = true
  for (const problem of eachProblem(properties, clientCode)) {
    areTaken = false
    yield problem
  }
  if (areTaken) yield* loginProblems(properties)
}

/** What is wrong with each of them by itself. */
function* eachProblem(properties: Properties, clientCode: boolean): Generator<ConfigProblem> {
  for (const [name, given] of Object.entries(properties)) {
    const at = child('/properties', name)
    const value = String(given)
    if (!isProperty(name)) {
      const meant = nearest(name)
      const message = `A Kafka producer has no property ${JSON.stringify(name)}.`
      yield {
        at,
        code: 'HG_CONFIG_UNKNOWN_KEY',
        message,
        ...(meant !== undefined && { suggestion: `Did you mean "${meant}"?` }),
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
      // Even to set it would load what it names, so librdkafka judges its value only when a client is made.
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

/** Puts every property where librdkafka looks for it. `clientId` is how brokers name us in their logs and quotas. */
export function clientConfig(brokers: string, properties: Properties, clientId: string): ClientConfig {
  const given = Object.entries(properties).map(([name, value]) => [name, String(value)] as const)
  // Later entries win inside librdkafka too, which matters where a default and a given property are aliases.
  const all = {
    'client.id': clientId,
    ...DEFAULTS,
    ...certificates(properties),
    ...Object.fromEntries(given),
    ...REQUIRED,
  }
  const global: { [name: string]: string } = { 'bootstrap.servers': brokers }
  const topic: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(all)) (TOPIC_PROPERTIES.has(name) ? topic : global)[name] = value
  return { global, topic }
}

/** The default place of the trusted certificates is that of node's own OpenSSL; `probe` looks where systems have theirs. */
function certificates(properties: Properties): { readonly [name: string]: string } {
  return /ssl/i.test(String(properties['security.protocol'] ?? '')) && !('ssl.ca.pem' in properties)
    ? { 'ssl.ca.location': 'probe' }
    : {}
}

const isProperty = (name: string): boolean => GLOBAL_PROPERTIES.has(name) || TOPIC_PROPERTIES.has(name)

/** A name without its unit (`linger.ms`) is meant more probably than one that differs by letters. */
function nearest(name: string): string | undefined {
  const withUnit = NAMES.find((known) => [`${name}.ms`, `${name}.bytes`].includes(known))
  if (withUnit !== undefined) return withUnit
  const candidate = closest(name, NAMES)
  return distance(name, candidate) <= Math.max(2, name.length / 3) ? candidate : undefined
}

/** Why librdkafka does not take a value. A Producer that is not connected is only a checked configuration. */
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
