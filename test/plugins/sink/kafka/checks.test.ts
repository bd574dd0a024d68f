import { expect, test } from 'vitest'
import { propertyProblems } from '../../../../src/plugins/sink/kafka/checks.js'

const problems = (properties: Record<string, string | number | boolean>) => [...propertyProblems(properties)]

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

test('accepts the properties of TLS and SASL', () => {
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

test.each([
  ['plugin.library.paths', '/tmp/evil.so', 'it loads libraries'],
  ['ssl.engine.location', '/tmp/evil.so', 'it loads a library'],
  ['ssl.engine.id', 'dynamic', 'it loads a library'],
  ['ssl.providers', 'default,/tmp/evil', 'it loads libraries'],
  ['sasl.kerberos.kinit.cmd', 'touch /tmp/evil', 'it runs a command'],
])('does not take %s, which runs code, and does not let librdkafka look at it', (name, value, reason) => {
  expect(problems({ [name]: value })).toEqual([
    {
      at: `/properties/${name}`,
      code: 'HG_CONFIG_CONFLICT',
      message: `${name} is not allowed: ${reason}.`,
      suggestion: 'Leave it out, or set HEADGATE_ALLOW_CLIENT_CODE=true.',
    },
  ])
  expect([...propertyProblems({ [name]: value }, true)]).toEqual([])
})

test('takes the providers that come with OpenSSL, and no signal that could end the process', () => {
  expect(problems({ 'ssl.providers': 'default, legacy' })).toEqual([])
  expect(problems({ 'internal.termination.signal': 9 })).toMatchObject([{ code: 'HG_CONFIG_CONFLICT' }])
})

const SCRAM = { 'security.protocol': 'sasl_ssl', 'sasl.mechanism': 'SCRAM-SHA-512' }
const OAUTH = { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'OAUTHBEARER' }

test.each<[string, Record<string, string>, string, string]>([
  [
    'no mechanism',
    { 'security.protocol': 'sasl_ssl' },
    '/properties/security.protocol',
    'sasl_ssl needs "sasl.mechanism", which is not set.',
  ],
  [
    'a mechanism that this build lacks',
    { 'security.protocol': 'sasl_plaintext', 'sasl.mechanisms': 'GSSAPI' },
    '/properties/sasl.mechanisms',
    'The Kafka client of this installation was built without GSSAPI.',
  ],
  [
    'a mechanism that does not exist',
    { ...SCRAM, 'sasl.mechanism': 'SCRAM' },
    '/properties/sasl.mechanism',
    'There is no SASL mechanism "SCRAM".',
  ],
  [
    'SCRAM without a user',
    SCRAM,
    '/properties/sasl.mechanism',
    'SCRAM-SHA-512 needs "sasl.username" and "sasl.password", which are not set.',
  ],
  [
    'PLAIN with an empty password',
    { ...SCRAM, 'sasl.mechanism': 'PLAIN', 'sasl.username': 'u', 'sasl.password': '' },
    '/properties/sasl.mechanism',
    'PLAIN needs "sasl.password", which is not set.',
  ],
  [
    'OAUTHBEARER without a token',
    OAUTH,
    '/properties/sasl.mechanism',
    'OAUTHBEARER has no source of tokens.',
  ],
  [
    'OAUTHBEARER with extensions only',
    { ...OAUTH, 'sasl.oauthbearer.config': 'principal=admin' },
    '/properties/sasl.mechanism',
    'OAUTHBEARER has no source of tokens.',
  ],
])('finds a login that cannot work: %s', (_, properties, at, message) => {
  expect(problems(properties)).toMatchObject([{ at, code: 'HG_CONFIG_VALUE', message }])
})

test('takes a login that can work, and asks for none if there is none', () => {
  expect(problems({ ...SCRAM, 'sasl.username': 'u', 'sasl.password': 'p' })).toEqual([])
  expect(problems({ ...OAUTH, 'enable.sasl.oauthbearer.unsecure.jwt': true })).toEqual([])
  expect(problems({ 'security.protocol': 'ssl' })).toEqual([])
})
