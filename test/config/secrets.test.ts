import { expect, test } from 'vitest'
import type { AnyDefinition } from '../../src/contract/index.js'
import { plugins } from '../../src/plugins/index.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'
import { shippedFiles } from '../helpers/pipelines/shipped-config.js'

const ENVIRONMENT = {
  KAFKA_BROKERS: 'kafka-1.example.com:9092',
  CXONE_BASE_URL: 'https://api.example.com',
  CXONE_CLIENT_ID: 'App@Vendor',
  CXONE_CLIENT_SECRET: 'the-client-secret',
  WEBHOOK_TOKEN: 'hook',
  KAFKA_USER: 'headgate',
  KAFKA_PASSWORD: 'the-kafka-password',
}

// biome-ignore lint/suspicious/noExplicitAny: a config as people write it
function secretsOf(change: (pipeline: any) => void, environment: object = {}): object {
  const { 'plugins.config.json': text = '', ...files } = shippedFiles({ 'plugins.config.json': change })
  const read = readText(text, plugins, { environment: { ...ENVIRONMENT, ...environment }, files })
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return Object.fromEntries(read.config.secrets)
}

/** Of a stage whose plugin declares nothing. */
function secretsOfOpen(config: object, environment: { [name: string]: string } = {}): object {
  const [source, ...others] = inlinePlugins().definitions
  const open = { ...source, config: { type: 'object' } } as unknown as AnyDefinition
  const read = readText(inlineConfig({ source: { plugin: 'inline', config } }), [open, ...others], {
    environment,
  })
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return Object.fromEntries(read.config.secrets)
}

test('only what the plugins declare to be secret is one: no address, user name or client id', () => {
  const found = secretsOf(({ sink }) => {
    sink.config.properties = {
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'PLAIN',
      'sasl.username': '${env:KAFKA_USER}',
      'sasl.password': '${env:KAFKA_PASSWORD}',
    }
  })
  expect(found).toEqual({
    hook: '${env:WEBHOOK_TOKEN}',
    'the-client-secret': '${env:CXONE_CLIENT_SECRET}',
    'the-kafka-password': '${env:KAFKA_PASSWORD}',
  })
})

test('a secret that is written in the file is one as well', () => {
  const found = secretsOf(({ source }) => {
    source.config.verify = { scheme: 'standard-webhooks', secrets: ['whsec_c2hhcmVkIHNlY3JldA=='] }
  })
  expect(found).toMatchObject({
    'whsec_c2hhcmVkIHNlY3JldA==': '[hidden]',
    'c2hhcmVkIHNlY3JldA==': '[hidden]',
  })
})

test('of a text that is secret as a whole, what references brought is secret too', () => {
  const found = secretsOfOpen(
    { headers: { Authorization: 'Bearer ${env:A}' }, token: '${env:A}-${env:B}' },
    { A: 'first-part', B: 'second-part' },
  )
  expect(found).toEqual({
    'Bearer first-part': '${env:A}',
    'first-part': '${env:A}',
    'first-part-second-part': '${env:A}${env:B}',
    'second-part': '${env:B}',
  })
})

test.each([
  [
    'https://${env:USER}:${env:PASS}@${env:HOST}/',
    { 'p%40ss-word': '${env:PASS}', 'p@ss-word': '${env:PASS}' },
  ],
  ['${env:URL}', { 'of-the-url': '${env:URL}' }],
  ['redis://:in-clear@host', { 'in-clear': '[hidden]' }],
  ['amqp://u:a@b@host/x', { 'a@b': '[hidden]' }],
  ['https://${env:USER}@host/ and ${env:HOST}', {}],
])('of a URL only the password is secret: %s', (url, found) => {
  const environment = {
    USER: 'headgate',
    PASS: 'p%40ss-word',
    HOST: 'db.example.com:5432',
    URL: 'postgres://headgate:of-the-url@db.example.com/x',
  }
  expect(secretsOfOpen({ url }, environment)).toEqual(found)
})

test('where a reference has no value, what the others brought is secret, and no reference is', () => {
  const [source, ...others] = inlinePlugins().definitions
  const open = { ...source, config: { type: 'object' } } as unknown as AnyDefinition
  const token = ['${env:A}-${env:NONE}', '${env:NONE}']
  const text = inlineConfig({ source: { plugin: 'inline', config: { token } } })
  const read = readText(text, [open, ...others], {
    environment: { A: 'first-part' },
    unresolved: 'placeholder',
  })
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  expect([...read.config.secrets.keys()]).toEqual([expect.stringContaining('env-none'), 'first-part'])
})

test('a path or a pointer under a telling name is no secret, unless a reference brought it', () => {
  expect(secretsOfOpen({ token: '/payload/token' })).toEqual({})
  expect(secretsOfOpen({ token: '${env:T}' }, { T: '/base64+of/a/token=' })).toEqual({
    '/base64+of/a/token=': '${env:T}',
  })
})

test('a plugin that is named by a reference declares its secrets all the same', () => {
  const found = secretsOf(
    ({ source }) => {
      source.plugin = '${env:SOURCE}'
    },
    { SOURCE: 'http-webhook' },
  )
  expect(found).toMatchObject({ hook: '${env:WEBHOOK_TOKEN}' })
})

test('the secrets of a named sink are those of the config, and so are those that a pipeline gives it', () => {
  const { 'plugins.config.json': text = '', ...files } = shippedFiles({ 'plugins.config.json': () => {} })
  const config = JSON.parse(text)
  const [pipeline] = Object.values(config.pipelines) as { sink: { config: object } }[]
  if (pipeline === undefined) throw new Error('no pipeline')
  const { sink } = pipeline
  const sasl = (password: string) => ({ 'sasl.username': '${env:KAFKA_USER}', 'sasl.password': password })
  config.sinks = { main: { ...sink, config: { ...sink.config, properties: sasl('${env:KAFKA_PASSWORD}') } } }
  Object.assign(pipeline, { sink: { use: 'main', config: { properties: sasl('${env:OTHER_PASSWORD}') } } })
  const environment = { ...ENVIRONMENT, OTHER_PASSWORD: 'another-password' }
  const read = readText(JSON.stringify(config), plugins, { environment, files })
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  const secrets = Object.fromEntries(read.config.secrets)
  expect(secrets).toMatchObject({
    'the-kafka-password': '${env:KAFKA_PASSWORD}',
    'another-password': '${env:OTHER_PASSWORD}',
  })
  expect(secrets).not.toHaveProperty('headgate')
})

test('a problem of a config that is refused does not quote its secrets', () => {
  const definitions = inlinePlugins().definitions.map((definition) =>
    definition.kind !== 'sink'
      ? definition
      : ({
          ...definition,
          config: { type: 'object', properties: { key: { type: 'string', secret: true } } },
          *check({ key }: { key: string }) {
            const message = `The key "${key}" is too old.`
            yield { at: '/key', code: 'HG_CONFIG_VALUE', message, suggestion: `Do not use ${key}.` }
          },
        } as unknown as AnyDefinition),
  )
  const text = inlineConfig({ sink: { plugin: 'memory', config: { key: '${env:KEY}' } } })
  expect(readText(text, definitions, { environment: { KEY: 'an-old-key' } })).toMatchObject({
    ok: false,
    problems: [{ message: 'The key "${env:KEY}" is too old.', suggestion: 'Do not use ${env:KEY}.' }],
  })
})
