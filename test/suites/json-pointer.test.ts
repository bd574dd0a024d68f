import { describe, expect, it } from 'vitest'
import { parseBody } from '../../src/lib/json/body.js'
import { pointer } from '../../src/lib/json/pointer.js'
import { countSuite } from './count.js'

/** RFC 6901, section 5: the document, and what each pointer evaluates to. */
const DOCUMENT = String.raw`{
  "foo": ["bar", "baz"],
  "": 0,
  "a/b": 1,
  "c%d": 2,
  "e^f": 3,
  "g|h": 4,
  "i\\j": 5,
  "k\"l": 6,
  " ": 7,
  "m~n": 8
}`
const EVALUATED: readonly (readonly [pointer: string, value: unknown])[] = [
  ['', JSON.parse(DOCUMENT)],
  ['/foo', ['bar', 'baz']],
  ['/foo/0', 'bar'],
  ['/', 0],
  ['/a~1b', 1],
  ['/c%d', 2],
  ['/e^f', 3],
  ['/g|h', 4],
  ['/i\\j', 5],
  ['/k"l', 6],
  ['/ ', 7],
  ['/m~0n', 8],
]
/** Sections 3 and 4: the order in which `~1` and `~0` are read, leading zeros, "-", what is not there. */
const SYNTAX: readonly (readonly [document: string, pointer: string, value: unknown])[] = [
  ['{"~1":1,"/":2}', '/~01', 1],
  ['{"~1":1,"/":2}', '/~1', 2],
  ['[10,11]', '/1', 11],
  ['[10,11]', '/01', undefined],
  ['[10,11]', '/-', undefined],
  ['[10,11]', '/2', undefined],
  ['[10,11]', '/-1', undefined],
  ['[10,11]', '/1e0', undefined],
  ['[10,11]', '/length', undefined],
  ['{"a":{"b":1}}', '/a/c', undefined],
  ['{"a":"text"}', '/a/0', undefined],
  ['{"a":null}', '/a/b', undefined],
  ['{"__proto__":{"x":1}}', '/__proto__/x', 1],
  ['{}', '/__proto__', undefined],
  ['{}', '/constructor', undefined],
  ['{"":{"":1}}', '//', 1],
]

countSuite('RFC 6901 (JSON Pointer)', EVALUATED.length + SYNTAX.length)

describe('RFC 6901', () => {
  const cases = [...EVALUATED.map(([at, value]) => [DOCUMENT, at, value] as const), ...SYNTAX]

  it.each(cases)('%s at %j', (document, at, value) => {
    const body = parseBody(Buffer.from(document), 64)
    const place = pointer(at)
    const bytes = body.slice(place)

    expect(place.read(body.value)).toEqual(value)
    expect(bytes === undefined ? undefined : JSON.parse(bytes.toString())).toEqual(value)
  })
})
