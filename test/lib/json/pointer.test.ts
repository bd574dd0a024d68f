import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { child, pointer } from '../../../src/lib/json/pointer.js'

describe('a JSON Pointer', () => {
  const document = {
    foo: ['bar', 'baz'],
    '': 0,
    'a/b': 1,
    'c%d': 2,
    'e^f': 3,
    'g|h': 4,
    'i\\j': 5,
    'k"l': 6,
    ' ': 7,
    'm~n': 8,
  }

  it.each([
    ['', document],
    ['/foo', document.foo],
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
  ])('%j leads to what RFC 6901 says', (text, expected) => {
    expect(pointer(text).read(document)).toBe(expected)
  })

  it.each([
    '/nothing',
    '/foo/2',
    '/foo/-',
    '/foo/01',
    '/foo/-1',
    '/foo/1e0',
    '/foo/length',
    '/foo/0/0',
    '/a/b',
    '/toString',
    '/__proto__',
    '/constructor/name',
  ])('%j leads nowhere', (text) => {
    expect(pointer(text).read(document)).toBeUndefined()
  })

  it('reads what JSON calls __proto__', () => {
    expect(pointer('/__proto__/a').read(JSON.parse('{"__proto__":{"a":1}}'))).toBe(1)
  })

  it('reads nothing below scalars', () => {
    for (const value of [null, true, 7, 'text', undefined]) expect(pointer('/a').read(value)).toBeUndefined()
  })

  it('~01 is ~1, not a slash', () => {
    expect(pointer('/~01').tokens).toEqual(['~1'])
  })

  it('is made of any tokens, and gives them back', () => {
    const tokens = fc.array(
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: fc.constantFrom('~', '/', '0', '1') })),
    )

    fc.assert(
      fc.property(tokens, (all) => {
        const text = all.reduce((parent: string, token) => child(parent, token), '')
        expect(pointer(text)).toMatchObject({ text, tokens: all })
      }),
    )
  })
})
