import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compactJson, jsonDifferences } from '../../../src/lib/json/difference.js'
import { prettyLines } from '../../../src/lib/json/pretty-lines.js'

const whole = (expected: string, found: string) => jsonDifferences(expected, found, 'differ')
const partly = (expected: string, found: string) => jsonDifferences(expected, found, 'ignored')

test('only the places that differ are named, with both values as they are written', () => {
  const expected = '{"region": "eu", "n": 9007199254740992, "a": [1, {"b": true}], "gone": {"x": 1.0}}'
  const found = '{"n": 9007199254740993, "a": [1, {"b": false}, 2], "region": "eu", "new/~": [ ]}'
  expect(whole(expected, found)).toEqual([
    { pointer: '/n', expected: '9007199254740992', found: '9007199254740993' },
    { pointer: '/a/1/b', expected: 'true', found: 'false' },
    { pointer: '/a/2', found: '2' },
    { pointer: '/gone', expected: '{"x":1.0}' },
    { pointer: '/new~1~0', found: '[]' },
  ])
})

test.each([
  ['1.0', '1'],
  ['100', '1e2'],
  ['0.010', '1E-2'],
  ['-0', '0.0'],
  ['12345678901234567890.50', '12345678901234567890.5'],
  ['"caf\\u00e9"', '"café"'],
  ['{"a":1,"b":2}', '{ "b" : 2, "a" : 1 }'],
])('%s means the same as %s', (one, other) => {
  expect(whole(one, other)).toEqual([])
})

test.each([
  ['1', '10'],
  ['1', '-1'],
  ['12345678901234567890', '12345678901234567891'],
  ['1e400', '1e401'],
  ['1', '"1"'],
  ['null', 'false'],
  ['[]', '{}'],
  ['[1,2]', '[2,1]'],
])('%s does not mean the same as %s', (one, other) => {
  expect(whole(one, other)).not.toEqual([])
  expect(partly(one, other)).not.toEqual([])
})

test('members that were not asked for can be left aside, elements cannot', () => {
  expect(partly('{"a":{"b":1}}', '{"a":{"b":1,"c":2},"d":3}')).toEqual([])
  expect(partly('{"a":1}', '{"d":3}')).toEqual([{ pointer: '/a', expected: '1' }])
  expect(partly('[{"a":1}]', '[{"a":1,"b":2}]')).toEqual([])
  expect(partly('[1]', '[1,2]')).toEqual([{ pointer: '', expected: '[1]', found: '[1,2]' }])
})

test('two documents differ where Node says that their values do', () => {
  const value = fc.jsonValue({ maxDepth: 3 })
  fc.assert(
    fc.property(value, value, (one, other) => {
      const [a, b] = [JSON.stringify(one), JSON.stringify(other)]
      expect(whole(a, a)).toEqual([])
      expect(whole(a, b).length === 0).toBe(
        isDeepStrictEqual(JSON.parse(a), JSON.parse(b)) || sameZeros(a, b),
      )
    }),
  )
})

/** -0 and 0 are one number in JSON. */
const sameZeros = (a: string, b: string): boolean =>
  isDeepStrictEqual(JSON.parse(a, positiveZero), JSON.parse(b, positiveZero))
const positiveZero = (_key: string, value: unknown): unknown => (value === 0 ? 0 : value)

test('numbers and strings stay as they are written; comments, white space and trailing commas go', () => {
  const text = `{
    // a comment, with "quotes" and a }
    "id": 9007199254740993, "total": 1.0, /* another */
    "zürich": "caf\\u00e9 // no comment", "10": [1, 2E+3, ], "2": [ ], "deep": { "a": null, },
  }`
  expect(compactJson(text)).toBe(
    '{"id":9007199254740993,"total":1.0,"zürich":"caf\\u00e9 // no comment","10":[1,2E+3],"2":[],"deep":{"a":null}}',
  )
})

test('JSON without white space stays as it is, however it was laid out', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const compact = JSON.stringify(JSON.parse(json))
      const laidOut = prettyLines(compact).map(({ text }) => text)
      expect(compactJson(laidOut.join('\n'))).toBe(compact)
    }),
  )
})
