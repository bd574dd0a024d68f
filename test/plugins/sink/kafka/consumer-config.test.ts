import rdkafka, { type LibrdKafkaError } from 'node-rdkafka'
import { expect, test } from 'vitest'
import { consumerConfig, type Use } from '../../../../src/plugins/sink/kafka/consumer-config.js'
import { clientConfig, type Properties } from '../../../../src/plugins/sink/kafka/properties.js'

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

test('leaves out what only a producer knows, and what would make it read less than there is', () => {
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

test('goes on with the oldest record that is left where it reads, and at the end where it looks for one', () => {
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
    // What does not go together is only found by connecting.
    const error = await new Promise<LibrdKafkaError>((resolve) =>
      client.connect({ allTopics: false, timeout: 10 }, resolve),
    )
    await new Promise<void>((resolve) => client.disconnect(() => resolve()))
    expect(error.code).not.toBe(rdkafka.CODES.ERRORS.ERR__STATE)
  },
)
