import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { propertyProblems } from '../../../../src/plugins/sink/kafka/checks.js'
import { trial } from '../../../../src/plugins/sink/kafka/trial.js'
import { collected } from '../../../helpers/collected.js'
import { temporaryDirectory } from '../../../helpers/context.js'

const SSL = { 'security.protocol': 'ssl' }

async function problems(properties: Record<string, string | number>, brokers = '127.0.0.1:1') {
  expect([...propertyProblems(properties)]).toEqual([])
  return collected(trial({ brokers, properties }))
}

test.each([
  'ssl.ca.location',
  'ssl.certificate.location',
  'ssl.key.location',
  'ssl.keystore.location',
  'ssl.crl.location',
])('names a file of %s that does not exist', async (property) => {
  expect(await problems({ ...SSL, [property]: '/no/such.pem' })).toEqual([
    {
      at: `/properties/${property}`,
      code: 'HG_CONFIG_UNREADABLE',
      message: `${property} is /no/such.pem, and there is no such file.`,
    },
  ])
})

test('opens no pipe, which would keep it waiting for ever', async () => {
  const pipe = join(temporaryDirectory(), 'pipe')
  execFileSync('mkfifo', [pipe])
  const property = 'ssl.key.location'
  const message = `${property} is ${pipe}, and that is not a file.`
  expect(await problems({ ...SSL, [property]: pipe })).toMatchObject([{ message }])
})

test('looks at no file that the client does not read', async () => {
  expect(await problems({ 'ssl.ca.location': '/no/such.pem' })).toEqual([])
})

test.each<[string, Record<string, string | number>, string, RegExp]>([
  ['a certificate that is none', { ...SSL, 'ssl.ca.pem': 'hello' }, 'ssl.ca.pem', /not in PEM format/],
  ['ciphers that do not exist', { ...SSL, 'ssl.cipher.suites': 'x' }, 'ssl.cipher.suites', /no cipher match/],
  [
    'two values that exclude each other',
    { 'reconnect.backoff.ms': 5000, 'reconnect.backoff.max.ms': 100 },
    'reconnect.backoff.max.ms',
    /must be >= `reconnect.backoff.ms`/,
  ],
])('has librdkafka judge all properties together: %s', async (_, properties, property, words) => {
  expect(await problems(properties)).toEqual([
    { at: `/properties/${property}`, code: 'HG_CONFIG_VALUE', message: expect.stringMatching(words) },
  ])
})

test('finds a file that holds something else', async () => {
  const path = join(temporaryDirectory(), 'ca.pem')
  writeFileSync(path, 'no certificate')
  expect(await problems({ ...SSL, 'ssl.ca.location': path })).toMatchObject([
    { at: '/properties/ssl.ca.location', code: 'HG_CONFIG_VALUE' },
  ])
})

test('connects to nothing, and finds nothing wrong with properties that can work', async () => {
  let connections = 0
  const server = createServer(() => connections++)
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const brokers = `127.0.0.1:${(server.address() as { port: number }).port}`
  expect(await problems({}, brokers)).toEqual([])
  expect(await problems({ ...SSL, 'compression.type': 'gzip' }, brokers)).toEqual([])
  expect(connections).toBe(0)
})
