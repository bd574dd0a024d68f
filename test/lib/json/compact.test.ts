import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compactJson } from '../../../src/lib/json/compact.js'
import { prettyLines } from '../../../src/lib/json/pretty-lines.js'

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
