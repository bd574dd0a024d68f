import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeadgateError } from '../../../../src/contract/errors.js'
import type { LoggedRecord, RecordSource } from '../../../../src/contract/index.js'
import { kafkaSource } from '../../../../src/plugins/source/kafka/index.js'
import { checkContext, fillDefaults, testContext } from '../../../helpers/context.js'

const source = (settings: object = {}): RecordSource => {
  const config = fillDefaults(kafkaSource, { topics: ['orders'], ...settings })
  const { records } = kafkaSource.create(config, { ...testContext(), http: undefined as never })
  return records as RecordSource
}

const record = (
  value: string,
  more: { key?: string; headers?: { [name: string]: string } } = {},
): LoggedRecord => ({
  topic: 'orders',
  partition: 3,
  offset: 41,
  timestamp: 1234,
  key: more.key === undefined ? null : Buffer.from(more.key),
  value: Buffer.from(value),
  header: (name) => more.headers?.[name],
  headers: () => [],
})

test('without a setting, each record is an event of its own, named by its place', () => {
  const records = source()
  expect(records.receive(record('{"n":1}'))).toMatchObject({ id: 'orders-3@41', receivedAt: 1234 })
  expect(records).toMatchObject({ hasIds: false, start: 'earliest', topics: ['orders'] })
})

test.each([
  ['key', record('{}', { key: 'k-1' }), 'k-1'],
  ['header:event-id', record('{}', { headers: { 'event-id': 'h-1' } }), 'h-1'],
  ['/order/id', record('{"order":{"id":"p-1"}}'), 'p-1'],
  ['/order/id', record('{"order":{"id":42}}'), '42'],
])('takes the id from %s', (id, from, expected) => {
  const records = source({ id })
  expect(records.receive(from).id).toBe(expected)
  expect(records.hasIds).toBe(true)
})

test.each([
  ['key', record('{}')],
  ['key', record('{}', { key: 'a\u0000b' })],
  ['header:event-id', record('{}')],
  ['/id', record('{"id":{}}')],
  ['/id', record('{"id":""}')],
  ['/id', record(JSON.stringify({ id: 'x'.repeat(257) }))],
])('a record without an id at %s is bad data, and the error names its place', (id, from) => {
  expect(() => source({ id }).receive(from)).toThrow(
    expect.objectContaining({ code: 'HG_INTAKE_NO_ID', message: expect.stringContaining('orders-3@41') }),
  )
})

test('a value that is not JSON, or has none, is bad data', () => {
  for (const value of ['', 'text', '{"a":1,"a":2}'])
    expect(() => source().receive(record(value))).toThrow(expect.objectContaining({ kind: 'data' }))
})

test('whatever the bytes are, a record is an event or bad data', () => {
  const records = source({ id: 'key' })
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (key, value) => {
      try {
        const from = { ...record(''), key: Buffer.from(key), value: Buffer.from(value) }
        expect(records.receive(from).id.length).toBeGreaterThan(0)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(HeadgateError)
        expect((thrown as HeadgateError).kind).toBe('data')
      }
    }),
  )
})

test('a start is the oldest records, the newest, or a time that exists', () => {
  expect(source({ start: 'latest' }).start).toBe('latest')
  expect(source({ start: '2026-01-31T12:00:00+01:00' }).start).toBe(Date.UTC(2026, 0, 31, 11))
  const problems = (start: string) => [
    ...(kafkaSource.check?.(fillDefaults(kafkaSource, { topics: ['orders'], start }), checkContext()) ?? []),
  ]
  expect(problems('2026-01-31T12:00:00Z')).toEqual([])
  expect(problems('2026-13-31T12:00:00Z')).toMatchObject([{ at: '/start', code: 'HG_CONFIG_VALUE' }])
})
