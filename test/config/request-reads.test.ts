import { expect, test } from 'vitest'
import { plugins } from '../../src/plugins/index.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'
import { webhookPipeline } from '../helpers/pipelines/webhook-pipeline.js'

const environment = { WEBHOOK_TOKEN: 'a-token-of-a-test', KAFKA_BROKERS: 'kafka:9092' }
const OTHERWISE = { topic: 'events' }

function readOf(pipeline: Omit<Parameters<typeof webhookPipeline>[0], 'otherwise'>) {
  const config = { pipelines: { orders: webhookPipeline({ ...pipeline, otherwise: OTHERWISE }) } }
  return readText(JSON.stringify(config), plugins, { environment })
}

const problemsOf = (...args: Parameters<typeof readOf>) => {
  const read = readOf(...args)
  return read.ok ? [] : read.problems.map(({ pointer, message }) => ({ pointer, message }))
}

const warningsOf = (...args: Parameters<typeof readOf>) => {
  const read = readOf(...args)
  return read.ok
    ? read.config.warnings.map(({ name, message, suggestion }) => ({ name, message, suggestion }))
    : []
}

const rule = (when: object) => ({ name: 'a', when, to: { topic: 'a' } })
const onHeader = (name: string) => [rule({ at: `header:${name}`, regex: 'x' })]
const apiKey = (place: object) => ({
  verify: { scheme: 'api-key', ...place, keys: ['${env:WEBHOOK_TOKEN}'] },
})

test.each([
  ['Authorization', {}],
  ['proxy-authorization', {}],
  ['Cookie', {}],
  ['X-Api-Key', apiKey({ header: 'x-api-key' })],
])('a rule cannot read a header with a credential: %s', (header, source) => {
  expect(problemsOf({ source, rules: onHeader(header) })).toEqual([
    {
      pointer: '/pipelines/orders/transforms/0/config/rules/0/when/at',
      message: expect.stringContaining(`No stage can read header:${header.toLowerCase()}`),
    },
  ])
})

test('neither can an expression, a key or a header of the record, nor a secret of the query be read', () => {
  const source = apiKey({ query: 'token' })
  expect(problemsOf({ source, rules: [rule({ jsonata: '$query.token = "x"' })] })).toHaveLength(1)
  expect(problemsOf({ source, sink: { key: 'query:token' } })).toHaveLength(1)
  expect(problemsOf({ source, sink: { key: '/id', keyFallback: 'query:token' } })).toHaveLength(1)
  expect(problemsOf({ source, sink: { headers: { auth: 'header:authorization' } } })).toEqual([
    {
      pointer: '/pipelines/orders/sink/config/headers/auth',
      message: expect.stringContaining('header:authorization'),
    },
  ])
})

test('a signature proves one body only, and can be read', () => {
  const verify = { scheme: 'hmac', header: 'X-Signature', secrets: ['${env:WEBHOOK_TOKEN}'] }
  expect(problemsOf({ source: { verify }, sink: { headers: { signature: 'header:X-Signature' } } })).toEqual(
    [],
  )
})

const GITHUB = { sender: 'github', secrets: ['${env:WEBHOOK_TOKEN}'], eventId: undefined, verify: undefined }

test('a header that the sender does not document is warned of', () => {
  expect(warningsOf({ source: GITHUB, rules: onHeader('X-GitHub-Evnt') })).toEqual([
    {
      name: 'header-not-sent',
      message: 'The sender does not document the header x-github-evnt.',
      suggestion: 'Did you mean "x-github-event"?',
    },
  ])
  expect(warningsOf({ source: GITHUB, rules: onHeader('X-GitHub-Event') })).toEqual([])
  expect(warningsOf({ source: GITHUB, rules: onHeader('User-Agent') })).toEqual([])
  expect(warningsOf({ rules: onHeader('X-GitHub-Evnt') })).toEqual([])
})

test('a part of the request is warned of if the source has no requests', () => {
  const { definitions } = inlinePlugins()
  const settings = { transforms: [{ plugin: 'everything', config: { reads: ['header:x', 'path'] } }] }
  const read = readText(inlineConfig(settings), definitions)
  expect(read.ok && read.config.warnings).toMatchObject([
    { name: 'request-not-available', pointer: '/pipelines/orders/transforms/0/config/reads/0' },
    { name: 'request-not-available', pointer: '/pipelines/orders/transforms/0/config/reads/1' },
  ])
})

test.each(['header:', 'header:a b', 'query:', 'headers:x', 'payload/region', 'METHOD'])(
  'a place that is none is refused: %s',
  (at) => {
    expect(problemsOf({ rules: [rule({ at, regex: 'x' })] })).toMatchObject([
      { pointer: '/pipelines/orders/transforms/0/config/rules/0/when/at' },
    ])
    expect(problemsOf({ sink: { key: at } })).toMatchObject([
      { pointer: '/pipelines/orders/sink/config/key' },
    ])
  },
)
