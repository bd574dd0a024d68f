import { expect, test } from 'vitest'
import type { LintContext } from '../../../../src/contract/index.js'
import { missingCodecs } from '../../../../src/plugins/sink/kafka/failures.js'
import { kafkaSink } from '../../../../src/plugins/sink/kafka/index.js'
import { codecFindings } from '../../../../src/plugins/sink/kafka/lint.js'
import { httpWebhook } from '../../../../src/plugins/source/http-webhook/index.js'
import { checkContext, fillDefaults } from '../../../helpers/context.js'

const requiring = (...names: string[]) => ({ type: 'object', required: names })

function warnings(config: object, context: Partial<LintContext> = {}) {
  const settings = {
    brokers: 'k:9092',
    keyFallback: 'refuse',
    value: '',
    headers: {},
    properties: {},
    ...config,
  }
  const given = {
    ...checkContext(),
    ensured: [],
    maxBody: undefined,
    redeliveryBy: 'id+bytes' as const,
    ...context,
  }
  return [...(kafkaSink.lint?.(settings, given) ?? [])]
}

test.each([
  ['no schema', [true]],
  ['a schema that requires another place', [requiring('other')]],
  ['a schema that requires a part of the way', [requiring('a')]],
  ['a schema that requires it in one of several cases', [{ anyOf: [{ required: ['a'] }] }]],
])('warns of a key that an event may lack: %s', (_, ensured) => {
  expect(warnings({ key: '/a/b' }, { ensured })).toEqual([
    {
      at: '/key',
      name: 'key-not-required',
      message: 'No earlier stage requires that an event has /a/b: an event without it is rejected.',
      suggestion: 'Require it in the JSON Schema of the events, or set `keyFallback`.',
    },
  ])
})

test.each([
  ['one schema', [{ required: ['a'], properties: { a: { required: ['b'] } } }]],
  ['two schemas', [requiring('a'), { properties: { a: requiring('b') } }]],
  [
    'references',
    [{ $ref: '#/$defs/x', $defs: { x: { allOf: [requiring('a'), { properties: { a: requiring('b') } }] } } }],
  ],
])('says nothing of a key that every event has by %s', (_, ensured) => {
  expect(warnings({ key: '/a/b' }, { ensured })).toEqual([])
})

test('says nothing of a key that is the id of the event, of none, and of one that has a fallback', () => {
  const webhook = { path: '/', verify: { scheme: 'none' }, eventId: '/a/b' }
  const ensured = [httpWebhook.ensures?.(fillDefaults(httpWebhook, webhook), checkContext())]
  expect(warnings({ key: '/a/b' }, { ensured })).toEqual([])
  expect(warnings({ key: '/a/c' }, { ensured })).toHaveLength(1)
  expect(warnings({})).toEqual([])
  expect(warnings({ key: '/a/b', keyFallback: 'none' })).toEqual([])
})

test('says nothing about a key after a transform of which nothing is known', () => {
  expect(warnings({ key: '/a/b' }, { ensured: [] })).toEqual([])
})

test('warns of bodies that the client takes no records of', () => {
  const [found, ...others] = warnings({}, { maxBody: 2_000_000 })
  expect(others).toEqual([])
  expect(found).toMatchObject({ at: '', name: 'body-beyond-client' })
  expect(found?.message).toContain(
    'bodies of up to 2000000 bytes (maxBody), the sink records of up to 1048588',
  )
  const properties = { 'message.max.bytes': 1_000_000 }
  expect(warnings({ properties }, { maxBody: 1_000_000 })).toMatchObject([
    { at: '/properties/message.max.bytes' },
  ])
})

test('has defaults for bodies and records that fit each other', () => {
  const settings = fillDefaults(httpWebhook, { path: '/', verify: { scheme: 'none' }, eventId: '/id' })
  expect(warnings({}, { maxBody: httpWebhook.maxBody?.(settings) })).toEqual([])
})

test('names the codecs that the client was built without, and the packages to install', () => {
  expect([...codecFindings([])]).toEqual([])
  expect([...codecFindings(missingCodecs(['gzip', 'lz4', 'ssl']))]).toMatchObject([
    {
      name: 'codec-missing',
      message: expect.stringContaining('was built without snappy, zstd:'),
      suggestion: 'Install libzstd-dev and run "npm rebuild node-rdkafka".',
    },
  ])
})

test('this build reads all codecs of Kafka', () => {
  expect(missingCodecs()).toEqual([])
})
