import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseBody, replaceAt } from '../../../src/lib/json/body.js'
import { child, pointer } from '../../../src/lib/json/pointer.js'
import { writtenJson } from './random-json.js'

const parse = (text: string, maxDepth = 64) => parseBody(Buffer.from(text), maxDepth)
const slice = (text: string, at: string) => parse(text).slice(pointer(at))?.toString()

/** Every place in a value. */
function* places(value: unknown, at = ''): Generator<string> {
  yield at
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) yield* places(inner, child(at, key))
}

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

describe('the bytes of a value', () => {
  it('mean at every place what the value there is', () => {
    fc.assert(
      fc.property(writtenJson, ({ value, text }) => {
        const body = parse(text)
        expect(isDeepStrictEqual(body.value, value)).toBe(true)
        for (const at of places(value)) {
          const part = body.slice(pointer(at))
          expect(isDeepStrictEqual(JSON.parse(String(part)), pointer(at).read(value)), at).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('are those that were sent, without a space around them', () => {
    fc.assert(
      fc.property(writtenJson, writtenJson, ({ text: inner }, { text: other }) => {
        const exact = inner.trim()
        expect(slice(`{"o":${other},"a" :\n${inner}}`, '/a')).toBe(exact)
        expect(slice(`[${other},{"b":[ ${inner} ],"c":${other}}]`, '/1/b/0')).toBe(exact)
        expect(slice(`{"a":{"x":${other},"b":${inner},"y":0}}`, '/a/b')).toBe(exact)
      }),
      { numRuns: 300 },
    )
  })

  it('begin behind a byte order mark', () => {
    const sent = Buffer.from('\ufeff{"a":"\u00fc","b":[1]}')
    const body = parseBody(sent, 64)

    expect(body.value).toEqual({ a: '\u00fc', b: [1] })
    expect(body.slice(pointer(''))?.toString()).toBe('{"a":"\u00fc","b":[1]}')
    expect(body.slice(pointer('/b/0'))?.toString()).toBe('1')
    expect(() => parse('\ufeff\ufeff{}')).toThrow('not JSON')
    expect(() => parse('{}\ufeff')).toThrow('not JSON')
  })

  it('are a view, not a copy', () => {
    const bytes = Buffer.from('{"a":[1]}')

    expect(parseBody(bytes, 64).slice(pointer('/a'))?.buffer).toBe(bytes.buffer)
  })

  it.each([
    ['{"a":1.0}', '/a', '1.0'],
    ['{"a":12345678901234567890}', '/a', '12345678901234567890'],
    ['{"a":1e400 }', '/a', '1e400'],
    ['{"a":{"z":1,"b":2}}', '/a', '{"z":1,"b":2}'],
    ['{"a":"\\u00e9\\/é"}', '/a', '"\\u00e9\\/é"'],
    ['{"\\u0061":[ ]}', '/a', '[ ]'],
    ['{"a~/b":{"":"x"}}', '/a~0~1b/', '"x"'],
    ['{"a":"}","b":"]\\\\"}', '/b', '"]\\\\"'],
    ['[[],[[true]]]', '/1/0/0', 'true'],
    [' "text" ', '', ' "text" '],
    ['{"__proto__":{"a":-0}}', '/__proto__/a', '-0'],
    ['{"":{"":1}}', '//', '1'],
  ])('of %s at %j are %s', (text, at, expected) => {
    expect(slice(text, at)).toBe(expected)
  })

  it.each([
    ['{"a":1}', '/b'],
    ['{"a":1}', '/a/b'],
    ['{"a":"b"}', '/a/0'],
    ['{}', '/a'],
    ['[]', '/0'],
    ['[1,2]', '/2'],
    ['[1,2]', '/01'],
    ['[1,2]', '/-'],
    ['{"a":[1]}', '/a/length'],
    ['7', '/a'],
    ['{"a":{}}', '/a/toString'],
  ])('of %s at %j are not there', (text, at) => {
    expect(slice(text, at)).toBeUndefined()
    expect(pointer(at).read(parse(text).value)).toBeUndefined()
  })

  it('of a key that stands twice below the top are those of the last', () => {
    fc.assert(
      fc.property(writtenJson, writtenJson, fc.constantFrom('k', '\\u006b'), (first, last, key) => {
        const text = `{"a":{"k":${first.text},"x":{"k":0},"${key}":${last.text}}}`
        expect(slice(text, '/a/k')).toBe(last.text.trim())
        expect(isDeepStrictEqual(parse(text).value, { a: { k: last.value, x: { k: 0 } } })).toBe(true)
      }),
    )
  })
})

describe('a body', () => {
  const error = (text: string | Buffer, maxDepth = 64) => {
    try {
      return parseBody(Buffer.from(text as string), maxDepth)
    } catch (thrown) {
      return thrown
    }
  }

  it('is refused where a key stands twice at the top, however it is written', () => {
    expect(error('{"a":1,"b":2,"a":3}')).toMatchObject({
      code: 'HG_INTAKE_DUPLICATE_KEY',
      message: 'The key "a" appears twice.',
    })
    expect(error('{"a":1,"\\u0061":3}')).toMatchObject({ code: 'HG_INTAKE_DUPLICATE_KEY' })
    expect(error('{"__proto__":1,"__proto__":3}')).toMatchObject({ code: 'HG_INTAKE_DUPLICATE_KEY' })
  })

  it('may have equal keys in different objects', () => {
    expect(parse('[{"a":1},{"a":{"a":1}}]').value).toEqual([{ a: 1 }, { a: { a: 1 } }])
  })

  it('is as deep as its arrays and objects are nested', () => {
    fc.assert(
      fc.property(writtenJson, ({ value, text }) => {
        const depth = depthOf(value)
        expect(isDeepStrictEqual(parse(text, depth).value, value)).toBe(true)
        if (depth > 0) expect(error(text, depth - 1)).toMatchObject({ code: 'HG_INTAKE_TOO_DEEP' })
      }),
    )
  })

  it('is refused where it is far too deep', () => {
    expect(error(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)).toMatchObject({
      code: 'HG_INTAKE_TOO_DEEP',
      message: 'The JSON is nested 10000 deep; at most 64 is accepted.',
    })
    expect(error('['.repeat(200_000))).toMatchObject({ code: 'HG_INTAKE_NOT_JSON' })
  })

  it.each([
    ['', 'The body is not JSON: it is empty.'],
    [' \n', 'The body is not JSON: it is empty.'],
    ['{"a":1,}', 'The body is not JSON: a key in double quotes is missing at line 1, column 8.'],
    ['{\n  "a": nope\n}', 'The body is not JSON: a word that is no JSON value at line 2, column 8.'],
    ['{} // no', 'The body is not JSON: a comment at line 1, column 4.'],
    ['{"a":1} {}', 'The body is not JSON: something follows the end at line 1, column 9.'],
  ])('is refused where it is not JSON: %j', (text, message) => {
    expect(error(text)).toMatchObject({ code: 'HG_INTAKE_NOT_JSON', status: 400, message })
  })

  it('is refused for its first error, and the others take no memory', () => {
    const text = `[${','.repeat(900_000)}`
    const before = process.memoryUsage().heapUsed
    expect(error(text)).toMatchObject({
      message: 'The body is not JSON: a value is missing at line 1, column 2.',
    })
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024)
  })

  it('keeps what was sent out of the message', () => {
    expect(String(error('{"token": "hunter2'))).not.toContain('hunter2')
  })

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
  ])('is refused where it is not UTF-8: %s', (_, bytes) => {
    expect(error(Buffer.from(bytes))).toMatchObject({ code: 'HG_INTAKE_NOT_UTF8' })
  })
})

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
