import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBody } from '../../../src/lib/json/body.js'
import { pointer } from '../../../src/lib/json/pointer.js'
import { replaceAt } from '../../../src/lib/json/replace.js'
import { writtenJson } from './random-json.js'

const replaced = (text: string, at: string, value: unknown) =>
  replaceAt(parseBody(Buffer.from(text), 64), pointer(at), value).bytes.toString()

test.each([
  ['{"a": 1.0, "b" : "x" , "c":[1e2]}', '/b', { d: 1 }, '{"a": 1.0, "b" : {"d":1} , "c":[1e2]}'],
  ['{"a": {"b": [1, 2,3]}}', '/a/b/1', '***', '{"a": {"b": [1, "***",3]}}'],
  ['{"a": 1}', '', null, 'null'],
  ['{"a": 1}', '/b', 'x', '{"a": 1}'],
  ['{"a": {"k": 1, "k": 2}}', '/a/k', 0, '{"a": {"k": 1, "k": 0}}'],
])('%s with another value at %j', (text, at, value, expected) => {
  expect(replaced(text, at, value)).toBe(expected)
})

test('the value is there afterwards, and what stands beside it is untouched to the byte', () => {
  fc.assert(
    fc.property(writtenJson, writtenJson, fc.jsonValue(), ({ text: before }, { text: old }, value) => {
      const start = `{"a":[${before}, `
      const text = replaced(`${start}${old.trim()} ],"b":1.0}`, '/a/1', value)
      expect(text).toBe(`${start}${JSON.stringify(value)} ],"b":1.0}`)
      expect(isDeepStrictEqual(JSON.parse(text).a[1], JSON.parse(JSON.stringify(value)))).toBe(true)
    }),
  )
})

test('the body that was given is not changed', () => {
  const body = parseBody(Buffer.from('{"a":1}'), 64)
  replaceAt(body, pointer('/a'), 2)
  expect([body.bytes.toString(), body.value]).toEqual(['{"a":1}', { a: 1 }])
})
