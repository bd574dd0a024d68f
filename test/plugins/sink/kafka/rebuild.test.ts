import { expect, test } from 'vitest'
import type { LoggedRecord } from '../../../../src/contract/index.js'
import { rebuilder } from '../../../../src/plugins/sink/kafka/rebuild.js'

const record = (value: string, key: string | null, headers: { readonly [name: string]: string } = {}) =>
  ({
    topic: 'events',
    partition: 0,
    offset: 0,
    timestamp: 0,
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(value),
    header: (name) => headers[name],
    headers: () => Object.entries(headers).map(([name, value]) => ({ name, value })),
  }) satisfies LoggedRecord

const settings = {
  key: '/id',
  value: '/data/payload',
  headers: { type: '/type', tier: '/data/payload/tier' },
}

test('value, key and headers go back to where they were taken from, the value as it is written', () => {
  const body = rebuilder(settings)(record('{"n":1.0,"tier":2}', 'a', { type: 'created', tier: '2' }))
  expect(body?.toString()).toBe('{"data":{"payload":{"n":1.0,"tier":2}},"id":"a","type":"created"}')
})

test('what a record lacks is left out', () => {
  expect(rebuilder(settings)(record('[]', null))?.toString()).toBe('{"data":{"payload":[]}}')
})

test('a value that is the whole body is that body', () => {
  const whole = rebuilder({ ...settings, value: '' })
  expect(whole(record(' {"id": 1}', '1'))?.toString()).toBe(' {"id": 1}')
})

test('nothing is made of a value that is not JSON', () => {
  expect(rebuilder(settings)(record('', 'a'))).toBeUndefined()
})
