import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { masked, withoutHidden } from '../../../src/lib/json/masked.js'
import { writtenJson } from './random-json.js'

const pathsOf = (...pointers: string[]) => pointers.map((text) => text.split('/').slice(1))

describe('a document without what is masked', () => {
  test.each([
    ['a member', '{"a": {"b": 1, "c": 2}}', ['/a/b'], '{"a":{"b":"***","c":2}}'],
    ['an element', '[10, 20]', ['/1'], '[10,"***"]'],
    ['every element', '{"a":[{"x":1},{"x":2,"y":3}]}', ['/a/*/x'], '{"a":[{"x":"***"},{"x":"***","y":3}]}'],
    ['every member', '{"a":{"k":1,"l":[2]}}', ['/a/*'], '{"a":{"k":"***","l":"***"}}'],
    ['all of it', ' {"a":1} ', [''], '"***"'],
    ['each of equal keys', '{"a":{"x":"first","x":"second"}}', ['/a/x'], '{"a":{"x":"***","x":"***"}}'],
    ['a key however it is escaped', '{"\\u0061":"v"}', ['/a'], '{"a":"***"}'],
    ['several places', '{"a":1,"b":2,"c":3}', ['/a', '/c', '/d/e'], '{"a":"***","b":2,"c":"***"}'],
    ['nothing where nothing stands', '{"a":"b"}', ['/a/b', '/x'], '{"a":"b"}'],
    ['empty containers', '{ "a" : { } , "b" : [ ] }', [], '{"a":{},"b":[]}'],
  ])('%s', (_name, document, pointers, text) => {
    expect(masked(document, pathsOf(...pointers)).text).toBe(text)
  })

  test('numbers stay as they were written, white space goes', () => {
    expect(masked('{"n": [12345678901234567890, 1.0, -0, 1e400]}', []).text).toBe(
      '{"n":[12345678901234567890,1.0,-0,1e400]}',
    )
  })

  test('what was hidden is told: strings, numbers and keys', () => {
    const { hidden } = masked('{"a":{"k\\u0041":["s",1.50,true,null]},"b":"t"}', pathsOf('/a'))
    expect([...hidden]).toEqual(['kA', 's', '1.50'])
  })

  test('what is not JSON is refused', () => {
    for (const text of ['', '{', '{"a":1}x', "{'a':1}"]) expect(() => masked(text, [])).toThrow(SyntaxError)
  })

  test('without masks it means the same, however it was written', () => {
    fc.assert(
      fc.property(writtenJson, ({ text }) => {
        expect(JSON.parse(masked(text, []).text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('no value behind a masked member shows, wherever the member is and whatever stands there', () => {
    const marked = fc.string({ unit: 'grapheme', maxLength: 8 }).map((noise) => `QXZ${noise}`)
    const hidden = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        marked,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(marked, tie('value'), { maxKeys: 3 }),
      ),
    })).value
    const place = fc.array(fc.string({ unit: 'grapheme', maxLength: 4 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(place, hidden, writtenJson, (keys, value, { text }) => {
        const document = keys.reduceRight(
          (inner, key, index) =>
            `{"beside${index}": ${text.includes('QXZ') ? 0 : text}, ${escaped(`${key}.`)} : ${inner}}`,
          escapeAll(value),
        )
        const shown = masked(document, [keys.map((key) => `${key}.`)]).text
        expect(shown).not.toContain('QXZ')
        expect(masked(document, [keys.map(() => '*')]).text).not.toContain('QXZ')
        expect(masked(document, []).text.includes('QXZ')).toBe(JSON.stringify(value).includes('QXZ'))
      }),
    )
  })
})

describe('a text without what was hidden', () => {
  test('values are taken out wherever they stand, short ones where they stand alone', () => {
    expect(withoutHidden('123-45 is not "x", 7 is not 17', new Set(['123-45', 'x', '7']))).toBe(
      '*** is not "***", *** is not 17',
    )
    expect(withoutHidden('found ([*]), 1.5 and 1x5', new Set(['[*]', '1.5']))).toBe(
      'found (***), *** and 1x5',
    )
    expect(withoutHidden('7', new Set(['7']))).toBe('***')
    expect(withoutHidden('found "say \\"hi\\""', new Set(['say "hi"']))).toBe('found "***"')
  })
})

/** A key in JSON, every unit of it escaped. */
const escaped = (text: string): string =>
  `"${text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')}"`

const escapeAll = (value: unknown): string => {
  if (typeof value === 'string') return escaped(value)
  if (Array.isArray(value)) return `[${value.map(escapeAll).join(' , ')}]`
  return `{${Object.entries(value as object)
    .map(([key, inner]) => `${escaped(key)}:${escapeAll(inner)}`)
    .join(',')}}`
}
