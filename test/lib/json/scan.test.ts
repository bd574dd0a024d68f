import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { locate, scanEnvelope } from '../../../src/lib/json/scan.js'
import { writtenJson } from './random-json.js'

describe('the scan of an envelope', () => {
  it('finds the top-level members, in their order and nothing else', () => {
    fc.assert(
      fc.property(writtenJson, ({ value, text }) => {
        const bytes = Buffer.from(text)
        const { members } = scanEnvelope(bytes)
        const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
        const entries = isObject ? Object.keys(value) : []

        expect(new Set(members.map(({ key }) => key))).toEqual(new Set(entries))
        expect(members).toHaveLength(entries.length)
        for (const { key, start, end } of members) {
          const part = bytes.toString('utf8', start, end)
          expect(part).toBe(part.trim())
          expect(isDeepStrictEqual(JSON.parse(part), (value as { [key: string]: unknown })[key])).toBe(true)
        }
        expect(members.map(({ start }) => start)).toEqual(
          members.map(({ start }) => start).sort((a, b) => a - b),
        )
      }),
      { numRuns: 500 },
    )
  })

  it('finds the end of a long text whatever it is full of', () => {
    const full = fc.array(fc.constantFrom('"', '\\', 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(full, full, (first, second) => {
        const texts = [first.join(''), second.join('')]
        const bytes = Buffer.from(JSON.stringify({ a: texts[0], b: texts[1] }))
        const { members } = scanEnvelope(bytes)
        expect(members.map(({ key }) => key)).toEqual(['a', 'b'])
        expect(members.map(({ start, end }) => JSON.parse(bytes.toString('utf8', start, end)))).toEqual(texts)
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps a key that stands twice', () => {
    expect(scanEnvelope(Buffer.from('{"a":1,"a":2}')).members.map(({ key }) => key)).toEqual(['a', 'a'])
  })

  it('takes no text of a value for a key', () => {
    const { members } = scanEnvelope(Buffer.from('{"a":"\\",\\"b\\":1,","c":{"d":"e"},"f":["g"]}'))

    expect(members.map(({ key }) => key)).toEqual(['a', 'c', 'f'])
  })
})

it('locates a value below any other', () => {
  const bytes = Buffer.from('{"x":0,"a":[ 1, {"b" : "c"} ]}')
  const at = locate(bytes, 11, ['1', 'b'])

  expect(at && bytes.toString('utf8', ...at)).toBe('"c"')
})
