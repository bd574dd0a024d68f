import { describe, expect, it } from 'vitest'
import { formFields } from '../../../src/lib/body/form.js'

const read = (text: string | Buffer, maxFields = 100) =>
  JSON.stringify(formFields(Buffer.from(text), maxFields))

describe('formFields', () => {
  it.each([
    ['a=1&b=2', '{"a":"1","b":"2"}'],
    ['a=1&a=2&a=', '{"a":["1","2",""]}'],
    ['a+b=c%20d%2B', '{"a b":"c d+"}'],
    ['a', '{"a":""}'],
    ['=1', '{"":"1"}'],
    ['', '{}'],
    ['a=b=c&&d=', '{"a":"b=c","d":""}'],
    ['a=%zz%', '{"a":"%zz%"}'],
    ['__proto__=1&constructor=2', '{"__proto__":"1","constructor":"2"}'],
    ['?a=1&b=?', '{"?a":"1","b":"?"}'],
    ['a=%EF%BF%BD', '{"a":"\ufffd"}'],
  ])('reads "%s"', (text, json) => {
    expect(read(text)).toBe(json)
  })

  it.each(['a=%FF', '%C3=1', 'a=%ED%A0%80', 'a=%C3&b=%A9'])('refuses %s, which is not UTF-8', (text) => {
    expect(() => read(text)).toThrow('UTF-8')
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => read(Buffer.from([0x61, 0x3d, 0xff]))).toThrow('UTF-8')
  })

  it('bounds the number of fields before it reads any', () => {
    expect(() => read('&'.repeat(99))).not.toThrow()
    expect(() => read('&'.repeat(100))).toThrow('more than 100 fields')
  })
})
