import { hostname } from 'node:os'
import { pid } from 'node:process'

export type Properties = Readonly<{ [name: string]: string | number | boolean }>

/** The two arguments of a node-rdkafka Producer. */
export interface ClientConfig {
  readonly global: Readonly<{ [name: string]: string }>
  readonly topic: Readonly<{ [name: string]: string }>
}

/** Defaults, unless `properties` sets them. */
export const DEFAULTS = {
  // Long, because a record that timed out may still be in Kafka, and a retry would write it twice.
  'message.timeout.ms': '3600000',
  'linger.ms': '1',
  // A broker refuses a batch that is larger than max.message.bytes of the topic, and with it every record in it. Batches
  // far below most such limits mean that a record refused as too large was alone; see batch-limits.ts for the others.
  'batch.size': '65536',
  partitioner: 'murmur2_random',
  // The default of brokers; that of librdkafka is lower.
  'message.max.bytes': '1048588',
  'topic.metadata.propagation.max.ms': '2000',
  'reconnect.backoff.max.ms': '2000',
  // A new client waits for half of it before it goes from a bootstrap address to the broker at that address.
  'reconnect.backoff.ms': '20',
  'statistics.interval.ms': '5000',
  // A check whether a topic exists must not create it: a typo would become a topic.
  'allow.auto.create.topics': 'false',
  'enable.metrics.push': 'false',
} as const

const REQUIRED = {
  'enable.idempotence': 'true',
  acks: 'all',
  // Of several requests in flight, one that follows a refused one is out of order for the broker. librdkafka then renumbers
  // all records that it holds, for all partitions, and those that another broker had taken before its connection broke are
  // written a second time (librdkafka, rdkafka_request.c, "skipped sequence numbers", and its issue 4953). It costs a round
  // trip of the network, no more: a broker answers the requests of one connection one after the other anyway, and only then
  // reads on.
  'max.in.flight': '1',
} as const

/** Puts every property where librdkafka looks for it. `clientId` names us in the logs and quotas of brokers. */
export function clientConfig(brokers: string, properties: Properties, clientId: string): ClientConfig {
  const written = Object.entries(properties).map(([name, value]) => [name, String(value)] as const)
  // Later entries win inside librdkafka too, which matters if a default and a written property are aliases.
  const all = {
    'client.id': clientId,
    ...DEFAULTS,
    ...certificates(properties),
    ...Object.fromEntries(written),
    ...REQUIRED,
  }
  const global: { [name: string]: string } = { 'bootstrap.servers': brokers }
  const topic: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(all)) (TOPIC_PROPERTIES.has(name) ? topic : global)[name] = value
  return { global, topic }
}

/**
 * The default path of the trusted certificates is that of node's own OpenSSL; `probe` looks at the usual paths of
 * systems.
 */
function certificates(properties: Properties): { readonly [name: string]: string } {
  return /ssl/i.test(String(properties['security.protocol'] ?? '')) && !('ssl.ca.pem' in properties)
    ? { 'ssl.ca.location': 'probe' }
    : {}
}

const UNSUITABLE: ReadonlySet<string> = new Set([
  // No code would read them.
  'statistics.interval.ms',
  // A request would wait for the fetch before it.
  'max.in.flight',
  'max.in.flight.requests.per.connection',
  // Followers lag behind; only the records of the leader count.
  'client.rack',
  // Together these decide how much is fetched at once, and can exclude each other.
  'message.max.bytes',
  'receive.message.max.bytes',
])

const COMMON = {
  'enable.auto.commit': 'false',
  'enable.auto.offset.store': 'false',
  'enable.partition.eof': 'true',
  // Without an inbox, our records are in no transaction. An open transaction of another producer must not hide them.
  'isolation.level': 'read_uncommitted',
} as const

/** The purpose of a consumer. */
export type Use = 'asking' | 'reading' | 'reading-committed' | 'probing'

const READING = {
  // The most bytes of the log that a client buffers, besides one fetch. More is not faster.
  'queued.max.messages.kbytes': '16384',
  // After that limit was hit: the default of a second would be most of the time that reading takes.
  'fetch.queue.backoff.ms': '2',
  // The end of a partition can go unnoticed for so long.
  'fetch.wait.max.ms': '50',
} as const

const OWN: Readonly<Record<Use, { readonly [name: string]: string }>> = {
  asking: {
    // A frozen broker is given up after the first, and a commit without a coordinator after the second.
    'socket.timeout.ms': '3000',
    'session.timeout.ms': '5000',
  },
  reading: READING,
  // Records that an inbox is worked off to, and those of the topics of a source: the id of an aborted one may come again. A transaction that is open holds it up until it ends.
  'reading-committed': { ...READING, 'isolation.level': 'read_committed' },
  probing: {
    // A partition that ends at our offset reports it after that time, and the first one before the others.
    'fetch.wait.max.ms': '5',
    // An offset out of range is expected here, and no reason for a warning.
    log_level: '3',
  },
}

/** The config of a consumer that reaches the same cluster in the same way as a producer. */
export function consumerConfig(producer: ClientConfig, groupId: string, use: Use): ClientConfig {
  const shared = Object.entries(producer.global).filter(
    ([name]) => !PRODUCER_PROPERTIES.has(name) && !UNSUITABLE.has(name),
  )
  return {
    global: { ...Object.fromEntries(shared), ...COMMON, ...OWN[use], 'group.id': groupId },
    // If an offset does not exist, reading goes on with the records that are left, and probing at the end.
    topic: { 'auto.offset.reset': use === 'probing' ? 'latest' : 'earliest' },
  }
}

/** Host and process. The client of a member adds them to its name. */
export const OWN_INSTANCE = `${hostname()}/${pid}`
/** Host and process in the name of the client of a member. */
export const instanceOf = (clientId: string): string => clientId.slice(clientId.lastIndexOf('@') + 1)

/** Milliseconds after which a member of the group of an inbox that is silent counts as dead. */
const SESSION_TIMEOUT = 15_000
/**
 * Milliseconds after which the broker aborts the transaction of a producer that is silent. Until then, the next owner of a
 * partition waits, and so do readers with `isolation.level=read_committed`. A broker looks every 10 s (its
 * `transaction.abort.timed.out.transaction.cleanup.interval.ms`).
 */
const TRANSACTION_TIMEOUT = 10_000
/**
 * Milliseconds until a request is sent again. A transaction that begins before the broker has ended the one before is refused for
 * that moment: one in 25 at 1,000 events a second, each of which held up all events for librdkafka's 100 ms. Each retry waits twice
 * as long as the one before.
 */
const TRANSACTION_RETRY = 10

/** Milliseconds after which an instance sees at the latest that the topic of the inbox has more partitions than are in use. */
const GROWTH_NOTICED = 30_000

/** The config of the consumer with which an instance is a member of the group of an inbox. */
export function memberConfig(producer: ClientConfig, groupId: string): ClientConfig {
  const { global } = consumerConfig(producer, groupId, 'reading')
  // The group tells operators which instance owns a partition.
  const clientId = `${global['client.id'] ?? 'headgate'}@${OWN_INSTANCE}`
  return {
    global: {
      ...global,
      'client.id': clientId,
      'enable.partition.eof': 'false',
      // The last stable offset: it waits with the committed offset of the group, too, while a transaction is open
      // (librdkafka asks for stable offsets then).
      'isolation.level': 'read_committed',
      'partition.assignment.strategy': 'cooperative-sticky',
      'session.timeout.ms': String(SESSION_TIMEOUT),
      'topic.metadata.refresh.interval.ms': String(GROWTH_NOTICED),
    },
    topic: { 'auto.offset.reset': 'earliest' },
  }
}

/** The config of a producer whose transactions carry offsets of the group of an inbox. */
export const transactionalConfig = (producer: ClientConfig, transactionalId: string): ClientConfig => ({
  global: {
    'retry.backoff.ms': String(TRANSACTION_RETRY),
    ...producer.global,
    'transactional.id': transactionalId,
    'transaction.timeout.ms': String(TRANSACTION_TIMEOUT),
    // A batch is produced at once, and its commit flushes it.
    'linger.ms': '0',
  },
  // librdkafka refuses a longer one.
  topic: { ...producer.topic, 'message.timeout.ms': String(TRANSACTION_TIMEOUT) },
})

/**
 * The properties that librdkafka documents for a producer and that can be written as text; a test compares them with the
 * library's own declaration. The library only refuses a wrong name, so suggestions need this list. These belong to the topic:
 * in the global configuration they are accepted, and then dropped in silence.
 */
export const TOPIC_PROPERTIES: ReadonlySet<string> = new Set(
  words(`
    acks compression.codec compression.level compression.type delivery.timeout.ms message.timeout.ms partitioner
    produce.offset.report queuing.strategy request.required.acks request.timeout.ms
  `),
)

export const GLOBAL_PROPERTIES: ReadonlySet<string> = new Set(
  words(`
    allow.auto.create.topics api.version.fallback.ms api.version.request api.version.request.timeout.ms
    batch.num.messages batch.size bootstrap.servers broker.address.family broker.address.ttl
    broker.version.fallback builtin.features client.dns.lookup client.id client.rack connections.max.idle.ms
    debug delivery.report.only.error enable.gapless.guarantee enable.idempotence enable.metrics.push
    enable.random.seed enable.sasl.oauthbearer.unsecure.jwt enable.ssl.certificate.verification enabled_events
    https.ca.location https.ca.pem internal.termination.signal linger.ms log.connection.close log.queue
    log.thread.name log_level max.in.flight max.in.flight.requests.per.connection message.copy.max.bytes
    message.max.bytes message.send.max.retries metadata.broker.list metadata.max.age.ms
    metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy plugin.library.paths
    queue.buffering.backpressure.threshold queue.buffering.max.kbytes queue.buffering.max.messages
    queue.buffering.max.ms receive.message.max.bytes reconnect.backoff.jitter.ms reconnect.backoff.max.ms
    reconnect.backoff.ms retries retry.backoff.max.ms retry.backoff.ms sasl.kerberos.keytab
    sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin sasl.kerberos.principal
    sasl.kerberos.service.name sasl.mechanism sasl.mechanisms sasl.oauthbearer.assertion.algorithm
    sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.exp.seconds
    sasl.oauthbearer.assertion.claim.iss sasl.oauthbearer.assertion.claim.jti.include
    sasl.oauthbearer.assertion.claim.nbf.seconds sasl.oauthbearer.assertion.claim.sub
    sasl.oauthbearer.assertion.file sasl.oauthbearer.assertion.jwt.template.file
    sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.passphrase
    sasl.oauthbearer.assertion.private.key.pem sasl.oauthbearer.client.credentials.client.id
    sasl.oauthbearer.client.credentials.client.secret sasl.oauthbearer.client.id sasl.oauthbearer.client.secret
    sasl.oauthbearer.config sasl.oauthbearer.extensions sasl.oauthbearer.grant.type
    sasl.oauthbearer.metadata.authentication.type sasl.oauthbearer.method sasl.oauthbearer.scope
    sasl.oauthbearer.token.endpoint.url sasl.password sasl.username security.protocol socket.blocking.max.ms
    socket.connection.setup.timeout.ms socket.keepalive.enable socket.max.fails socket.nagle.disable
    socket.receive.buffer.bytes socket.send.buffer.bytes socket.timeout.ms ssl.ca.certificate.stores
    ssl.ca.location ssl.ca.pem ssl.certificate.location ssl.certificate.pem ssl.cipher.suites ssl.crl.location
    ssl.curves.list ssl.endpoint.identification.algorithm ssl.engine.id ssl.engine.location ssl.key.location
    ssl.key.password ssl.key.pem ssl.keystore.location ssl.keystore.password ssl.providers ssl.sigalgs.list
    statistics.interval.ms sticky.partitioning.linger.ms topic.blacklist topic.metadata.propagation.max.ms
    topic.metadata.refresh.fast.cnt topic.metadata.refresh.fast.interval.ms topic.metadata.refresh.interval.ms
    topic.metadata.refresh.sparse transaction.timeout.ms transactional.id
  `),
)

/** The global ones that mean nothing to a consumer. */
export const PRODUCER_PROPERTIES: ReadonlySet<string> = new Set(
  words(`
    batch.num.messages batch.size delivery.report.only.error enable.gapless.guarantee enable.idempotence
    linger.ms message.send.max.retries queue.buffering.backpressure.threshold queue.buffering.max.kbytes
    queue.buffering.max.messages queue.buffering.max.ms retries sticky.partitioning.linger.ms
    transaction.timeout.ms transactional.id
  `),
)

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}
