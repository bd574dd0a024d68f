import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBody } from '../../../src/lib/json/body.js'
import { Decimal, isSameNumber } from '../../../src/lib/json/decimal.js'
import { compactText } from '../../../src/lib/json/exact-numbers.js'
import { pointer } from '../../../src/lib/json/pointer.js'

const compact = (text: string, at = '') => compactText(parseBody(Buffer.from(text), 64), pointer(at))

describe('two numbers', () => {
  it.each([
    ['1', '1.0'],
    ['1', '1e0'],
    ['100', '1E+2'],
    ['0.001', '1e-3'],
    ['0', '-0'],
    ['0', '0e5'],
    ['-12.50', '-1250e-2'],
    ['9007199254740993', '9007199254740993.000'],
  ])('%s and %s are the same', (a, b) => {
    expect(isSameNumber(a, b)).toBe(true)
  })

  it.each([
    ['9007199254740993', '9007199254740992'],
    ['1', '-1'],
    ['1', '10'],
    ['0.1', '0.10000000000000000001'],
    ['1e400', '1e401'],
    ['1e400', '0'],
  ])('%s and %s are not', (a, b) => {
    expect(isSameNumber(a, b)).toBe(false)
  })

  it('are the same in whatever form JavaScript writes them', () => {
    fc.assert(
      fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (number) => {
        const text = JSON.stringify(number)
        expect(Decimal.parse(number.toExponential()).text).toBe(Decimal.parse(text).text)
        expect(Number(Decimal.parse(text).text)).toBe(number === 0 ? 0 : number)
      }),
    )
  })
})

describe('compact JSON', () => {
  it.each([
    ['{"id": 9007199254740993}', '{"id":9007199254740993}'],
    ['{"a": [1e400, null, -1E-400]}', '{"a":[1e400,null,-1E-400]}'],
    ['{"a": 0.1234567890123456789, "b": 1.0}', '{"a":0.1234567890123456789,"b":1}'],
    ['{"a": "9007199254740993 \\u0041 \\"1e400\\""}', '{"a":"9007199254740993 A \\"1e400\\""}'],
    ['{"b": {"2": 1, "1": 12345678901234567890}}', '{"b":{"1":12345678901234567890,"2":1}}'],
    ['{"b": {"x": 1, "x": 12345678901234567890}}', '{"b":{"x":12345678901234567890}}'],
    ['123456789012345678901', '123456789012345678901'],
    ['{"a": 1e21, "b": 10000000000000000}', '{"a":1e+21,"b":10000000000000000}'],
  ])('of %s has the numbers that were sent: %s', (text, expected) => {
    expect(compact(text)).toBe(expected)
  })

  it('is that of JSON.stringify for all that doubles can hold', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(compact(JSON.stringify(value, null, 1))).toBe(JSON.stringify(value))
      }),
    )
  })

  it('is nothing where there is nothing', () => {
    expect(compact('{}', '/a')).toBeUndefined()
  })
})
