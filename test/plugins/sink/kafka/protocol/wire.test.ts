import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  blob,
  bool,
  int8,
  int16,
  int32,
  list,
  reader,
  text,
} from '../../../../../src/plugins/sink/kafka/protocol/wire.js'

const record = fc.record({
  small: fc.integer({ min: -128, max: 127 }),
  middle: fc.integer({ min: -32768, max: 32767 }),
  large: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  flag: fc.boolean(),
  texts: fc.array(fc.string({ unit: 'grapheme' })),
  bytes: fc.uint8Array(),
})
type Value = typeof record extends fc.Arbitrary<infer T> ? T : never

const encode = ({ small, middle, large, flag, texts, bytes }: Value): Buffer =>
  Buffer.concat([
    int8(small),
    int16(middle),
    int32(large),
    bool(flag),
    list(texts, text),
    blob(Buffer.from(bytes)),
  ])

function decode(encoded: Buffer): Value {
  const from = reader(encoded)
  return {
    small: from.int8(),
    middle: from.int16(),
    large: from.int32(),
    flag: from.bool(),
    texts: from.list(from.text),
    bytes: new Uint8Array(from.blob()),
  }
}

test('written values are read again', () => {
  fc.assert(fc.property(record, (value) => void expect(decode(encode(value))).toEqual(value)))
})

test('a response that is cut short is an error, wherever it is cut', () => {
  fc.assert(
    fc.property(record, fc.nat(), (value, at) => {
      const whole = encode(value)
      expect(() => decode(whole.subarray(0, at % whole.length))).toThrow(RangeError)
    }),
  )
})

test('null is read as empty', () => {
  expect(reader(int16(-1)).text()).toBe('')
  expect(reader(int32(-1)).list(() => 1)).toEqual([])
  expect(reader(int32(-1)).blob()).toHaveLength(0)
})
