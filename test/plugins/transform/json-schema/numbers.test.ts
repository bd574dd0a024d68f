import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Decimal } from '../../../../src/lib/json/decimal.js'
import { passes, violationsOf } from './stage.js'

describe('multipleOf is decided with the digits that were sent', () => {
  it.each([
    ['1234567890.12', '0.01', true],
    ['1.0000001', '1', false],
    ['0.00000001', '0.01', false],
    ['19.99', '0.01', true],
    ['19.995', '0.01', false],
    ['0', '0.01', true],
    ['-0.3', '0.1', true],
    ['1e22', '7', false],
    ['7e22', '7', true],
    ['1e400', '10', true],
    ['1e400', '3', false],
    ['1e-400', '1', false],
    ['9007199254740993', '2', false],
    ['9007199254740994', '2', true],
    ['0.0075', '0.0001', true],
    ['1e308', '0.123456789', false],
    ['4.35', '0.05', true],
    ['1.1', '0.1', true],
    ['123456789012345678901234567890.5', '0.5', true],
    ['123456789012345678901234567890.4', '0.5', false],
  ])('%s / %s: %s', (value, divisor, expected) => {
    expect(passes(`{"multipleOf":${divisor}}`, value)).toBe(expected)
    expect(passes(`{"properties":{"n":{"multipleOf":${divisor}}}}`, `{"n":${value}}`)).toBe(expected)
  })
})

describe('numbers that are one double are told apart', () => {
  it.each([
    ['{"const":9007199254740993}', '9007199254740993', true],
    ['{"const":9007199254740993}', '9007199254740992', false],
    ['{"const":9007199254740992}', '9007199254740993', false],
    ['{"const":{"a":[9007199254740993]}}', '{"a":[9007199254740993]}', true],
    ['{"const":{"a":[9007199254740993]}}', '{"a":[9007199254740992]}', false],
    ['{"enum":[1,1234567890123456789]}', '1234567890123456789', true],
    ['{"enum":[1,1234567890123456789]}', '1234567890123456788', false],
    ['{"maximum":9223372036854775807}', '9223372036854775807', true],
    ['{"maximum":9223372036854775807}', '9223372036854775808', false],
    ['{"maximum":9223372036854775807}', '5', true],
    ['{"minimum":9007199254740993}', '9007199254740992', false],
    ['{"exclusiveMinimum":9007199254740992}', '9007199254740993', true],
    ['{"exclusiveMinimum":9007199254740992}', '9007199254740992', false],
    ['{"exclusiveMaximum":0.1}', '0.09999999999999999999', true],
    ['{"maximum":0.1}', '0.1000000000000000000001', false],
    ['{"maximum":1e308}', '1e400', false],
    ['{"minimum":-1e308}', '-1e400', false],
    ['{"exclusiveMinimum":0}', '1e-400', true],
    ['{"minimum":0}', '-1e-400', false],
    ['{"uniqueItems":true}', '[9007199254740992,9007199254740993]', true],
    ['{"uniqueItems":true}', '[9007199254740993,9007199254740993.0]', false],
    ['{"uniqueItems":true}', '[1e400,1e401]', true],
    ['{"uniqueItems":true}', '[1,1.0]', false],
    ['{"uniqueItems":true}', '[1,1.00000000000000000000]', false],
    ['{"uniqueItems":true}', '[{"a":9007199254740992},{"a":9007199254740993}]', true],
    ['{"uniqueItems":true}', '[0,-0]', false],
    ['{"uniqueItems":true}', '["1",1,true,[1],{"1":1}]', true],
    ['{"type":"integer"}', '9007199254740993.5', false],
    ['{"type":"integer"}', '9007199254740993.0', true],
    ['{"type":"integer"}', '1e400', true],
    ['{"type":"integer"}', '1e-400', false],
    ['{"type":"integer"}', '1.0', true],
    ['{"type":"number"}', '1e400', true],
    ['{"type":"null"}', '1e400', false],
    ['{"const":null}', '1e400', false],
    ['{"enum":[null,"a"]}', '1e400', false],
    ['{"type":["string","object"],"const":"x"}', '12345678901234567890', false],
    ['{"const":1.0}', '1', true],
    ['{"const":100}', '1e2', true],
    ['{"const":"12345678901234567890"}', '"12345678901234567890"', true],
  ])('%s for %s: %s', (schema, text, expected) => {
    expect(passes(schema, text)).toBe(expected)
  })

  it('is said with the digits of the schema', () => {
    expect(violationsOf('{"properties":{"id":{"const":9007199254740993}}}', '{"id":1}')).toEqual([
      { pointer: '/id', message: 'must be 9007199254740993' },
    ])
    expect(violationsOf('{"maximum":9223372036854775807}', '9223372036854775808')).toEqual([
      { pointer: '', message: 'must be <= 9223372036854775807' },
    ])
  })
})

describe('a decimal number', () => {
  const digits = fc.stringMatching(/^(?:0|[1-9][0-9]{0,25})$/)
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      digits,
      fc.option(fc.stringMatching(/^[0-9]{1,12}$/)),
      fc.integer({ min: -30, max: 30 }),
    )
    .map(
      ([sign, whole, fraction, exponent]) =>
        `${sign}${whole}${fraction === null ? '' : `.${fraction}`}e${exponent}`,
    )
  /** As an integer, with 50 decimal places. */
  const scaled = (text: string): bigint => {
    const [, sign, whole = '', fraction = '', exponent] = /^(-?)(\d+)(?:\.(\d+))?e(-?\d+)$/.exec(text) ?? []
    return BigInt(`${sign}${whole}${fraction}`) * 10n ** BigInt(50 + Number(exponent) - fraction.length)
  }

  it('compares, and is a multiple, as whole numbers do', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        const [x, y] = [scaled(a), scaled(b)]
        expect(Decimal.parse(a).compare(Decimal.parse(b))).toBe(x < y ? -1 : x > y ? 1 : 0)
        if (y !== 0n) expect(Decimal.parse(a).isMultipleOf(Decimal.parse(b))).toBe(x % y === 0n)
        expect(Decimal.parse(a).isInteger).toBe(x % 10n ** 50n === 0n)
      }),
      { numRuns: 1_000 },
    )
  })
})
