import { expect, test } from 'vitest'
import { clientConfig, propertyProblems } from '../../../../src/plugins/sink/kafka/properties.js'

const problems = (properties: Record<string, string | number | boolean>) => [...propertyProblems(properties)]

test('puts each property where librdkafka looks for it', () => {
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

test('asks for what the guarantees need, whatever is given', () => {
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

test.each(['SSL', 'sasl_ssl'])('trusts what the system trusts with %s, unless told otherwise', (protocol) => {
  const secure = { 'security.protocol': protocol }
  const location = (more: object) =>
    clientConfig('k:9092', { ...secure, ...more }, 'c').global['ssl.ca.location']
  expect(location({})).toBe('probe')
  expect(location({ 'ssl.ca.location': '/ca.pem' })).toBe('/ca.pem')
  expect(location({ 'ssl.ca.pem': 'PEM' })).toBeUndefined()
  expect(clientConfig('k:9092', {}, 'c').global).not.toHaveProperty('ssl.ca.location')
})

test.each([
  ['acks', 1],
  ['request.required.acks', '0'],
  ['enable.idempotence', false],
  ['max.in.flight', 2],
  ['max.in.flight.requests.per.connection', 1000000],
  ['retries', 0],
  ['message.send.max.retries', 0],
  ['queuing.strategy', 'lifo'],
  ['enable.gapless.guarantee', true],
  ['delivery.report.only.error', true],
  ['log.queue', true],
  ['enabled_events', 0],
  ['transactional.id', 't'],
  ['bootstrap.servers', 'other:9092'],
  ['metadata.broker.list', 'other:9092'],
])('does not let %s=%s weaken a promise', (name, value) => {
  expect(problems({ [name]: value })).toEqual([
    {
      at: `/properties/${name}`,
      code: 'HG_CONFIG_CONFLICT',
      message: expect.stringContaining(`${name} cannot be changed: `),
      expected: expect.any(String),
    },
  ])
})

test('accepts protected properties with a value that keeps the promise', () => {
  expect(problems({ acks: -1, 'enable.idempotence': true, retries: 10, 'max.in.flight': 1 })).toEqual([])
})

test('accepts what TLS and SASL need', () => {
  const sasl = { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'SCRAM-SHA-512' }
  expect(
    problems({ ...sasl, 'sasl.username': 'u', 'sasl.password': 'p', 'ssl.ca.location': '/ca.pem' }),
  ).toEqual([])
})

test.each([
  ['linger.msec', 'linger.ms'],
  ['message.timeout', 'message.timeout.ms'],
  ['sasl.mecanism', 'sasl.mechanism'],
  ['sasl.jaas.config', undefined],
  ['topic', undefined],
  ['dr_cb', undefined],
  ['linger', 'linger.ms'],
  ['test.mock.num.brokers', undefined],
])('does not know %s, and suggests %s', (name, suggestion) => {
  expect(problems({ [name]: 'x' })).toEqual([
    {
      at: `/properties/${name}`,
      code: 'HG_CONFIG_UNKNOWN_KEY',
      message: `A Kafka producer has no property "${name}".`,
      ...(suggestion && { suggestion: `Did you mean "${suggestion}"?` }),
    },
  ])
})

test('points at a name that has characters of its own in a JSON Pointer', () => {
  expect(problems({ 'a/b~c': 1 })).toMatchObject([{ at: '/properties/a~1b~0c' }])
})

test.each([
  ['linger.ms', 'soon', 'Invalid value for configuration property "queue.buffering.max.ms".'],
  ['partitioner', 'mine', 'Invalid value for configuration property "partitioner": mine.'],
  ['socket.timeout.ms', 1, 'outside allowed range 10..300000.'],
])('has librdkafka judge the value of %s', (name, value, message) => {
  const found = problems({ [name]: value })
  expect(found).toMatchObject([{ at: `/properties/${name}`, code: 'HG_CONFIG_VALUE' }])
  expect(found[0]?.message).toContain(message)
})

test('reports everything at once', () => {
  expect(problems({ acks: 0, nope: 1, 'linger.ms': 'x' }).map(({ code }) => code)).toEqual([
    'HG_CONFIG_CONFLICT',
    'HG_CONFIG_UNKNOWN_KEY',
    'HG_CONFIG_VALUE',
  ])
})
