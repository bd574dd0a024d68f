import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pointer } from '../../../src/lib/json/pointer.js'
import { prettyLines } from '../../../src/lib/json/pretty-lines.js'
import { writtenJson } from './random-json.js'

const laidOut = (json: string) => prettyLines(json).map(({ text }) => text)

test('JSON is laid out as JSON.stringify does it', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(laidOut(json).join('\n')).toBe(JSON.stringify(JSON.parse(json), undefined, 2))
    }),
  )
})

test('what is laid out means what it meant before', () => {
  fc.assert(
    fc.property(writtenJson, ({ value, text }) => {
      expect(isDeepStrictEqual(JSON.parse(laidOut(text).join('\n')), value)).toBe(true)
    }),
  )
})

test('numbers and strings stand as they are written', () => {
  expect(laidOut('{"a":9007199254740993,"b":[1.0,-0,1e400],"c":"Z\\u00fcrich","d":{},"e":[]}')).toEqual([
    '{',
    '  "a": 9007199254740993,',
    '  "b": [',
    '    1.0,',
    '    -0,',
    '    1e400',
    '  ],',
    '  "c": "Z\\u00fcrich",',
    '  "d": {},',
    '  "e": []',
    '}',
  ])
})

test('each value that begins on a line is named by its pointer', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const value: unknown = JSON.parse(json)
      const named = prettyLines(json).filter((line) => line.pointer !== undefined)
      for (const { pointer: at, text } of named) {
        const found = JSON.stringify(pointer(at ?? '').read(value))
        const written = text.trim().replace(/,$/, '')
        if (/[[{]$/.test(written)) expect(found).toMatch(/^[[{]/)
        else expect(written.endsWith(found)).toBe(true)
      }
      expect(new Set(named.map((line) => line.pointer)).size).toBe(named.length)
    }),
  )
})
