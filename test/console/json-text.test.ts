import { expect, test } from 'vitest'
import { indented, jsonPieces } from '../../console/src/events/json-text.js'

const textOf = (json: string) =>
  jsonPieces(json, [])
    .map(({ text }) => text)
    .join('')
const marked = (json: string, ...places: string[]) =>
  jsonPieces(json, places).flatMap(({ text, mark }) => (mark === undefined ? [] : [text]))

test('a document gets line breaks, and its numbers and strings stay as they are', () => {
  const json = '{"big":9007199254740993,"text":"a,\\"{:","list":[1,[],{}],"none":null}'
  expect(textOf(json)).toBe(
    '{\n  "big": 9007199254740993,\n  "text": "a,\\"{:",\n  "list": [\n    1,\n    [],\n    {}\n  ],\n  "none": null\n}',
  )
})

test('line breaks of the sender are replaced, and a text that is no JSON stays', () => {
  expect(indented('{ "a b" :\n [ 1 , true ], "c": { } }')).toBe(
    '{\n  "a b": [\n    1,\n    true\n  ],\n  "c": {}\n}',
  )
  expect(indented('challenge: 12, 13')).toBe('challenge: 12, 13')
})

test('the beginning of a document is shown as far as it goes', () => {
  expect(textOf('{"a":[1,{"b":"tex')).toBe('{\n  "a": [\n    1,\n    {\n      "b": "tex')
})

test('the member or element at a place is marked with everything in it, and nothing else', () => {
  const json = '{"a":{"x/y":[1,22]},"ab":3,"c":[{"d":4},{"d":5}]}'
  expect(marked(json, '/a/x~1y/1')).toEqual(['22'])
  expect(marked(json, '/ab')).toEqual(['"ab": 3'])
  expect(marked(json, '/c/1/d')).toEqual(['"d": 5'])
  expect(marked(json, '/c/0')).toEqual(['{\n      "d": 4\n    }'])
  expect(marked(json, '/missing')).toEqual([])
})

test('the document as a whole is not marked', () => {
  expect(marked('{"a":1}', '')).toEqual([])
})
