import { readFileSync } from 'node:fs'
import rdkafka, { type LibrdKafkaError } from 'node-rdkafka'
import { expect, test } from 'vitest'
import {
  clientConfig,
  consumerConfig,
  GLOBAL_PROPERTIES,
  PRODUCER_PROPERTIES,
  type Properties,
  TOPIC_PROPERTIES,
  transactionalConfig,
  type Use,
} from '../../../../src/plugins/sink/kafka/properties.js'

const SECURE = {
  'security.protocol': 'SASL_SSL',
  'sasl.mechanism': 'SCRAM-SHA-512',
  'sasl.username': 'u',
  'sasl.password': 'p',
  'ssl.ca.location': '/ca.pem',
  'socket.keepalive.enable': true,
}

const configFor = (properties: Properties, use: Use = 'reading') =>
  consumerConfig(clientConfig('k:9092', properties, 'headgate-orders'), 'headgate.orders', use)

test('reaches the cluster as the producer does', () => {
  const { global, topic } = configFor(SECURE)
  const expected = Object.entries(SECURE).map(([name, value]) => [name, String(value)])
  expect(global).toMatchObject({
    ...Object.fromEntries(expected),
    'bootstrap.servers': 'k:9092',
    'client.id': 'headgate-orders',
    'group.id': 'headgate.orders',
  })
  expect(topic).toEqual({ 'auto.offset.reset': 'earliest' })
})

test('leaves out properties of producers, and those that would make it read less than there is', () => {
  const { global } = configFor({
    'linger.ms': 5,
    'batch.size': 1000,
    'compression.type': 'lz4',
    'client.rack': 'a',
    'receive.message.max.bytes': 1000,
    'message.max.bytes': 200_000_000,
  })
  const names = ['linger.ms', 'batch.size', 'compression.type', 'enable.idempotence', 'acks', 'partitioner']
  for (const name of [
    ...names,
    'client.rack',
    'max.in.flight',
    'receive.message.max.bytes',
    'message.max.bytes',
  ]) {
    expect(global).not.toHaveProperty(name)
  }
})

test('goes on with the oldest record that is left when it reads, and at the end when it probes', () => {
  const resets = (['asking', 'reading', 'probing'] as const).map(
    (use) => configFor({}, use).topic['auto.offset.reset'],
  )
  expect(resets).toEqual(['earliest', 'earliest', 'latest'])
})

test.each<Use>(['asking', 'reading', 'probing'])(
  'is a configuration for %s that librdkafka takes, whatever the sink was given',
  async (use) => {
    const properties = { 'socket.timeout.ms': 10_000, 'message.max.bytes': 500_000_000, retries: 3 }
    const { global, topic } = configFor({ ...properties, log_level: 0 }, use)
    const client = new rdkafka.KafkaConsumer({ ...global, 'bootstrap.servers': '127.0.0.1:1' }, topic)
    // Properties that exclude each other are only found by connecting.
    const error = await new Promise<LibrdKafkaError>((resolve) =>
      client.connect({ allTopics: false, timeout: 10 }, resolve),
    )
    await new Promise<void>((resolve) => client.disconnect(() => resolve()))
    expect(error.code).not.toBe(rdkafka.CODES.ERRORS.ERR__STATE)
  },
)

test('puts each property into the config in which librdkafka looks for it', () => {
  const properties = {
    'request.timeout.ms': 5000,
    'compression.codec': 'lz4',
    'socket.keepalive.enable': true,
  }
  const { global, topic } = clientConfig('k:9092', properties, 'headgate-orders')
  expect(topic).toMatchObject({ 'request.timeout.ms': '5000', 'compression.codec': 'lz4' })
  expect(global).toMatchObject({ 'socket.keepalive.enable': 'true', 'bootstrap.servers': 'k:9092' })
  expect(global).not.toHaveProperty('request.timeout.ms')
  expect(global['client.id']).toBe('headgate-orders')
})

test('sets the properties that the guarantees need, whatever the config says', () => {
  const { global, topic } = clientConfig('k:9092', { acks: 1, 'enable.idempotence': false }, 'c')
  expect(global['enable.idempotence']).toBe('true')
  expect(topic['acks']).toBe('all')
  expect(global['max.in.flight']).toBe('1')
})

test('lets given properties win over its defaults, under their other names too', () => {
  const { global, topic } = clientConfig('k:9092', { 'linger.ms': 5, 'delivery.timeout.ms': 60_000 }, 'c')
  expect(global['linger.ms']).toBe('5')
  const names = Object.keys(topic)
  expect(names.indexOf('delivery.timeout.ms')).toBeGreaterThan(names.indexOf('message.timeout.ms'))
  expect(topic['partitioner']).toBe('murmur2_random')
})

test.each(['SSL', 'sasl_ssl'])(
  'trusts the certificates of the system with %s, unless told otherwise',
  (protocol) => {
    const secure = { 'security.protocol': protocol }
    const location = (more: object) =>
      clientConfig('k:9092', { ...secure, ...more }, 'c').global['ssl.ca.location']
    expect(location({})).toBe('probe')
    expect(location({ 'ssl.ca.location': '/ca.pem' })).toBe('/ca.pem')
    expect(location({ 'ssl.ca.pem': 'PEM' })).toBeUndefined()
    expect(clientConfig('k:9092', {}, 'c').global).not.toHaveProperty('ssl.ca.location')
  },
)

const DECLARATION = readFileSync('node_modules/node-rdkafka/config.d.ts', 'utf8')

/** Pointers of C, which no text can set. */
const POINTERS =
  /_cb$|^opaque$|^default_topic_conf$|^interceptors$|^msg_order_cmp$|^ssl_(key|certificate|ca|engine_callback_data)$/

function declared(name: string): string[] {
  const body = new RegExp(`^export interface ${name}[ {][^]*?^}`, 'm').exec(DECLARATION)?.[0] ?? ''
  return [...body.matchAll(/^ {4}"([^"]+)"/gm)].flatMap(([, property = '']) =>
    POINTERS.test(property) ? [] : [property],
  )
}

test('knows the topic properties of the installed librdkafka', () => {
  const names = [...declared('TopicConfig'), ...declared('ProducerTopicConfig')]
  expect(names.length).toBeGreaterThan(5)
  expect([...TOPIC_PROPERTIES].sort()).toEqual(names.sort())
})

test('knows the global properties of the installed librdkafka', () => {
  const names = new Set([...declared('GlobalConfig'), ...declared('ProducerGlobalConfig')])
  expect(names.size).toBeGreaterThan(100)
  const own = [...names].filter((name) => !TOPIC_PROPERTIES.has(name))
  expect([...GLOBAL_PROPERTIES].sort()).toEqual(own.sort())
})

test('knows which properties the installed librdkafka has for producers only', () => {
  const shared = new Set(declared('GlobalConfig'))
  const own = declared('ProducerGlobalConfig').filter(
    (name) => !shared.has(name) && !TOPIC_PROPERTIES.has(name),
  )
  expect([...PRODUCER_PROPERTIES].sort()).toEqual(own.sort())
})

test('a transaction that comes too early is tried again soon, unless the sink says otherwise', () => {
  const backoff = (properties: Properties) =>
    transactionalConfig(clientConfig('k:9092', properties, 'headgate-orders'), 'id').global[
      'retry.backoff.ms'
    ]
  expect(backoff({})).toBe('10')
  expect(backoff({ 'retry.backoff.ms': 250 })).toBe('250')
})
