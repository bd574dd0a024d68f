import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeadgateError } from '../../../../src/contract/errors.js'
import type { Event, LoggedRecord } from '../../../../src/contract/index.js'
import { decodeBody, FORM } from '../../../../src/lib/body/decode.js'
import { parseBody } from '../../../../src/lib/json/body.js'
import {
  headerPairs,
  type RecordSettings,
  rebuilder,
  recordMaker,
} from '../../../../src/plugins/sink/kafka/record.js'

const TARGET = { topic: 'orders', partition: 0 }
const PLAIN: RecordSettings = { keyFallback: 'refuse', value: '', headers: {} }

const event = (text: string): Event => ({
  id: 'e-1',
  receivedAt: 0,
  body: parseBody(Buffer.from(text), 100),
  route: { name: 'r', target: TARGET },
})

const record = (settings: Partial<RecordSettings>, text: string) =>
  recordMaker({ ...PLAIN, ...settings }).record(event(text), [])

function thrownBy(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}

test.each([
  ['"k-1"', 'k-1'],
  ['"\\u00e9\\n"', 'é\n'],
  ['""', ''],
  ['9007199254740993', '9007199254740993'],
  ['1.0', '1.0'],
  ['true', 'true'],
  ['{ "b": 1, "a": 2 }', '{ "b": 1, "a": 2 }'],
])('takes a key of %s as %j', (json, key) => {
  const text = `{"id": ${json} }`
  expect(record({ key: '/id' }, text).key?.toString()).toBe(key)
  expect(
    recordMaker({ ...PLAIN, key: '/id' })
      .key(event(text))
      ?.toString(),
  ).toBe(key)
})

test('has no key if the config names none', () => {
  expect(record({}, '{"id":1}').key).toBeNull()
  expect(recordMaker(PLAIN).key(event('{"id":1}'))).toBeNull()
})

test('names the place of a key or value that the event lacks', () => {
  for (const [settings, what] of [
    [{ key: '/a/id' }, 'key'],
    [{ value: '/a/id' }, 'value'],
  ] as const) {
    const error = thrownBy(() => record(settings, '{"a":{}}'))
    expect(error).toBeInstanceOf(HeadgateError)
    expect(error).toMatchObject({
      code: 'HG_RECORD_FIELD_MISSING',
      message: `The event has no /a/id, from which the ${what} of its record is taken.`,
      violations: [{ pointer: '/a/id' }],
    })
  }
})

test('gives a dead letter no key if the event lacks it', () => {
  expect(recordMaker({ ...PLAIN, key: '/id' }).key(event('{}'))).toBeNull()
})

test('has no key if the event says null, whatever else the config names', () => {
  for (const keyFallback of ['refuse', 'none', '/other']) {
    const settings = { key: '/id', keyFallback }
    expect(record(settings, '{"id": null, "other": "o"}').key).toBeNull()
    expect(recordMaker({ ...PLAIN, ...settings }).key(event('{"id":null,"other":"o"}'))).toBeNull()
  }
})

test('takes another key, or none, for an event that lacks its own, as the config says', () => {
  const withOther = { key: '/a/id', keyFallback: '/other' }
  expect(record(withOther, '{"other":"o"}').key?.toString()).toBe('o')
  expect(record(withOther, '{"a":{"id":""},"other":"o"}').key?.toString()).toBe('')
  expect(record(withOther, '{"other":null}').key).toBeNull()
  expect(record({ key: '/a/id', keyFallback: 'none' }, '{}').key).toBeNull()
  expect(thrownBy(() => record(withOther, '{}'))).toMatchObject({
    code: 'HG_RECORD_FIELD_MISSING',
    message: 'The event has neither /a/id nor /other, from which the key of its record is taken.',
  })
})

test('leaves out headers that the event lacks, and keeps the order of the config after the headers of the engine', () => {
  const headers = { third: '/c', first: '/a', second: '/b' }
  const given = [{ name: 'headgate-event-id', value: 'e-1' }]
  const made = recordMaker({ ...PLAIN, headers }).record(event('{"a":"text","b":null,"x":1}'), given)
  expect(made.headers).toEqual([
    ...given,
    { name: 'first', value: 'text' },
    { name: 'second', value: 'null' },
  ])
  expect(given).toHaveLength(1)
})

test('tells the key and the headers of an event of which no record can be made', () => {
  const maker = recordMaker({
    ...PLAIN,
    key: '/id',
    value: '/payload',
    headers: { type: '/type', at: '/at' },
  })
  expect(maker.headers(event('{"type":"t"}'))).toEqual([{ name: 'type', value: 't' }])
  expect(maker.key(event('{"type":"t"}'))).toBeNull()
})

test('writes a header text with a NUL as JSON, because the client would cut it there', () => {
  const { headers } = record({ headers: { h: '/a' } }, '{"a":"x\\u0000y"}')
  expect(headers).toEqual([{ name: 'h', value: '"x\\u0000y"' }])
})

test('does not take an event that no transform has routed', () => {
  const { route: _, ...unrouted } = event('{}')
  expect(thrownBy(() => recordMaker(PLAIN).record(unrouted, []))).toMatchObject({ code: 'HG_ROUTE_NO_MATCH' })
})

test('takes any value as the bytes that were sent', () => {
  fc.assert(
    fc.property(fc.json(), fc.json(), (before, value) => {
      const { value: bytes } = record({ value: '/v' }, `{ "b" : ${before} , "v":${value}}`)
      expect(bytes.toString()).toBe(value.trim())
    }),
  )
})

const logged = (value: string, key: string | null, headers: { readonly [name: string]: string } = {}) =>
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

const REBUILD = {
  key: '/id',
  value: '/data/payload',
  headers: { type: '/type', tier: '/data/payload/tier' },
}

test('value, key and headers go back to their pointers, the value as it is written', () => {
  const body = rebuilder(REBUILD)(logged('{"n":1.0,"tier":2}', 'a', { type: 'created', tier: '2' }))
  expect(body?.toString()).toBe('{"data":{"payload":{"n":1.0,"tier":2}},"id":"a","type":"created"}')
})

test('parts that a record lacks are left out', () => {
  expect(rebuilder(REBUILD)(logged('[]', null))?.toString()).toBe('{"data":{"payload":[]}}')
})

test('a value that is the whole body is that body', () => {
  const whole = rebuilder({ ...REBUILD, value: '' })
  expect(whole(logged(' {"id": 1}', '1'))?.toString()).toBe(' {"id": 1}')
})

test('nothing is made of a value that is not JSON', () => {
  expect(rebuilder(REBUILD)(logged('', 'a'))).toBeUndefined()
})

const texts = (pairs: object[] | undefined) => pairs?.map((pair) => Object.entries(pair)[0])

test('gives each header as an object of its own, with this record’s value', () => {
  const pairs = headerPairs()
  expect(pairs([])).toBeUndefined()
  const first = pairs([
    { name: 'id', value: '1' },
    { name: 'route', value: 'eu' },
  ])
  expect(texts(first)).toEqual([
    ['id', '1'],
    ['route', 'eu'],
  ])
  expect(texts(pairs([{ name: 'id', value: '2' }]))).toEqual([['id', '2']])
})

test('keeps headers of the same name apart, and takes any name', () => {
  const pairs = headerPairs()
  const twice = [
    { name: 'tag', value: 'a' },
    { name: 'tag', value: 'b' },
    { name: 'tag', value: 'c' },
    { name: '__proto__', value: 'd' },
  ]
  const expected = [
    ['tag', 'a'],
    ['tag', 'b'],
    ['tag', 'c'],
    ['__proto__', 'd'],
  ]
  expect(texts(pairs(twice))).toEqual(expected)
  expect(texts(pairs(twice))).toEqual(expected)
})

const REQUEST = { method: 'POST', headers: { 'x-tenant': 'acme', 'x-odd': 'a\0b' }, query: { id: 'ü' } }
const withRequest = (settings: Partial<RecordSettings>, text = '{}', request: Event['request'] = REQUEST) =>
  recordMaker({ ...PLAIN, ...settings }).record({ ...event(text), request }, [])

test('takes key and headers from the request', () => {
  expect(withRequest({ key: 'header:X-Tenant' }).key?.toString()).toBe('acme')
  expect(withRequest({ key: 'query:id' }).key?.toString()).toBe('ü')
  expect(withRequest({ key: '/id', keyFallback: 'header:x-tenant' }).key?.toString()).toBe('acme')
  const headers = { tenant: 'header:X-Tenant', odd: 'header:X-Odd', none: 'header:X-None', method: 'method' }
  expect(withRequest({ headers }).headers).toEqual([
    { name: 'tenant', value: 'acme' },
    // node-rdkafka would cut it at NUL.
    { name: 'odd', value: '"a\\u0000b"' },
    { name: 'method', value: 'POST' },
  ])
})

test('names the part of the request that its key lacks, which no JSON Pointer can', () => {
  const error = thrownBy(() => withRequest({ key: 'header:X-None', keyFallback: '/id' }))
  expect(error).toMatchObject({
    code: 'HG_RECORD_FIELD_MISSING',
    message: 'The event has neither header:x-none nor /id, from which the key of its record is taken.',
    violations: [],
  })
})

test('rebuilds a body without the parts of the request', () => {
  const rebuild = rebuilder({ key: 'header:x-tenant', value: '/payload', headers: { kind: 'query:kind' } })
  const header = (name: string) => (name === 'kind' ? 'k' : undefined)
  const record = {
    key: Buffer.from('acme'),
    value: Buffer.from('{"n":1}'),
    header,
  } as unknown as LoggedRecord
  expect(rebuild(record)?.toString()).toBe('{"payload":{"n":1}}')
})

test('a value that is the whole body has the bytes as they came, and a part of it is JSON', () => {
  const bytes = Buffer.from('id=1&n=%C3%A4')
  const body = decodeBody(FORM, bytes, { maxDepth: 3, maxFields: 3 })
  const form = { ...event('{}'), body }
  const whole = recordMaker({ ...PLAIN, key: '/id' }).record(form, [])
  expect([whole.key?.toString(), whole.value]).toEqual(['1', bytes])
  expect(
    recordMaker({ ...PLAIN, value: '/n' })
      .record(form, [])
      .value.toString(),
  ).toBe('"ä"')
})
