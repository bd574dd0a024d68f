import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Schema, schemasAt, settingsAt, typeOf, valuesOf } from '../../console/src/config/schema-at.js'

const SCHEMA: Schema = JSON.parse(readFileSync('schemas/plugins.config.schema.json', 'utf8'))

const CONFIG = {
  pipelines: {
    orders: {
      source: { plugin: 'http-webhook', config: { verify: { scheme: 'hmac' } } },
      transforms: [{ plugin: 'route', config: { rules: [{ name: 'eu' }] } }, { plugin: '' }],
      sink: { plugin: 'kafka', config: {} },
    },
  },
}
const ORDERS = ['pipelines', 'orders'] as const
const settings = (...path: (string | number)[]) => [
  ...settingsAt(SCHEMA, [...ORDERS, ...path], CONFIG).keys(),
]
const values = (...path: (string | number)[]) => [
  ...valuesOf(schemasAt(SCHEMA, [...ORDERS, ...path], CONFIG)).keys(),
]

test('the settings of a pipeline, and of the plugin that a stage names', () => {
  expect(settings()).toEqual(
    expect.arrayContaining(['source', 'transforms', 'sink', 'deadLetter', 'maxPending']),
  )
  expect(settings('transforms', 0, 'config')).toEqual(expect.arrayContaining(['rules', 'otherwise']))
  expect(settings('transforms', 0, 'config')).not.toContain('brokers')
  expect(settings('transforms', 0, 'config', 'rules', 0, 'when')).toEqual(
    expect.arrayContaining(['regex', 'jsonata']),
  )
  expect(settings('sink', 'config')).toContain('brokers')
})

test('of alternatives, the one that is written counts', () => {
  expect(settings('source', 'config', 'verify')).toContain('header')
  const bearer = structuredClone(CONFIG)
  bearer.pipelines.orders.source.config.verify.scheme = 'bearer'
  const found = settingsAt(SCHEMA, [...ORDERS, 'source', 'config', 'verify'], bearer)
  expect([...found.keys()]).toContain('tokens')
  expect([...found.keys()]).not.toContain('header')
})

test('the values of a setting, with descriptions', () => {
  expect(values('transforms', 1, 'plugin')).toEqual(expect.arrayContaining(['"route"', '"json-schema"']))
  expect(values('transforms', 1, 'plugin')).not.toContain('"kafka"')
  expect(valuesOf(schemasAt(SCHEMA, [...ORDERS, 'transforms', 1, 'plugin'], CONFIG)).get('"route"')).toMatch(
    /\w/,
  )
})

test('a setting has a type and a description', () => {
  const schemas = schemasAt(SCHEMA, [...ORDERS, 'maxPending'], CONFIG)
  expect(typeOf(schemas)).toContain('integer')
  expect(schemas.some(({ description = '' }) => description !== '')).toBe(true)
})

test('nothing is known of what the schema does not have', () => {
  expect(schemasAt(SCHEMA, ['nothing', 'here'], CONFIG)).toEqual([])
  expect(settings('sink', 'nothing')).toEqual([])
})
