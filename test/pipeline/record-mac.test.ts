import { expect, test } from 'vitest'
import type { CheckedPipeline } from '../../src/config/checked-pipeline.js'
import { digestOf } from '../../src/ledger/identity.js'
import { Type } from '../../src/lib/json/pointer.js'
import { macOf, readRecordKey, recordMac } from '../../src/pipeline/record-mac.js'
import { temporaryDirectory } from '../helpers/context.js'

const settings = Type.Object({
  address: Type.String(),
  tokens: Type.Array(Type.String(), { secret: true }),
})
const stage = (config: object) => ({ definition: { config: settings }, config, pointer: '' })
const checked = (name: string, config: object) =>
  ({
    name,
    source: stage(config),
    transforms: [],
    sink: stage({ address: 'b', tokens: [] }),
    postCommit: [],
  }) as unknown as CheckedPipeline
const keyOf = (name: string, config: object, key?: string) => macOf(checked(name, config), key).key

test('a pipeline has a key of its own, made of the secrets in its config and of nothing else', () => {
  const key = keyOf('orders', { address: 'a', tokens: ['one', 'two'] })
  expect(key).toMatch(/^[\w-]{43}$/)
  expect(keyOf('orders', { address: 'elsewhere', tokens: ['two', 'one'] })).toBe(key)
  expect(keyOf('orders', { address: 'a', tokens: ['one'] })).not.toBe(key)
  expect(keyOf('payments', { address: 'a', tokens: ['one', 'two'] })).not.toBe(key)
})

test('with a key of the process, the secrets of the config do not count', () => {
  const key = keyOf('orders', { address: 'a', tokens: ['one'] }, 'a key of the process')
  expect(keyOf('orders', { address: 'a', tokens: ['other'] }, 'a key of the process')).toBe(key)
  expect(keyOf('payments', { address: 'a', tokens: ['one'] }, 'a key of the process')).not.toBe(key)
})

test('a proof is for one key, topic, id, digest and request', () => {
  const { of } = recordMac('key')
  const [one, other] = [digestOf(Buffer.from('1')), digestOf(Buffer.from('2'))]
  const all = [
    of('t', 'a', one),
    of('u', 'a', one),
    of('t', 'b', one),
    of('t', 'a', other),
    recordMac('yek').of('t', 'a', one),
    of('t', 'a', one, '{}'),
    of('t', 'a', one, '{"method":"POST"}'),
  ]
  expect(new Set(all).size).toBe(7)
  expect(of('t', 'a', one)).toBe(all[0])
})

test('the key of the process is read from a file, and is long enough', () => {
  const folder = temporaryDirectory({ 'good.key': 'sixteen characters\n', 'short.key': 'short' })
  expect(readRecordKey('', folder)).toBeUndefined()
  expect(readRecordKey('good.key', folder)).toBe('sixteen characters')
  expect(() => readRecordKey('short.key', folder)).toThrow(/short\.key, .* has 5 characters/)
  expect(() => readRecordKey('none.key', folder)).toThrow(/Cannot read none\.key, .*: ENOENT/)
})
