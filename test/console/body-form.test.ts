import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  base64Of,
  bytesOfBody,
  retyped,
  shownBytes,
  type TypedBody,
  typedBodyOf,
} from '../../console/src/try/body-form.js'

const hex = (typed: TypedBody): string => {
  const read = bytesOfBody(typed)
  return 'bytes' in read ? Buffer.from(read.bytes).toString('hex') : read.problem
}

test.each<[TypedBody, string]>([
  [{ form: 'text', body: 'aé\n' }, '61c3a90a'],
  [{ form: 'crlf', body: 'a\nb\r\nc' }, '610d0a620d0a63'],
  [{ form: 'hex', body: '89 50\n0xFF, 0x00:41' }, '8950ff0041'],
  [{ form: 'base64', body: 'iVD/\nAEE=' }, '8950ff0041'],
  [{ form: 'base64', body: 'iVD_AEE' }, '8950ff0041'],
  [{ form: 'hex', body: '' }, ''],
])('%j is %s', (typed, expected) => {
  expect(hex(typed)).toBe(expected)
})

test.each<[TypedBody, string]>([
  [{ form: 'hex', body: '8g' }, 'it has "g"'],
  [{ form: 'hex', body: '895' }, 'it has 3, so one is missing'],
  [{ form: 'base64', body: 'a=b' }, 'should be base64'],
])('%j is no body, and the reason says why', (typed, reason) => {
  expect(hex(typed)).toContain(reason)
})

test('bytes are typed so that they stay as they are', () => {
  const pieces = fc.constantFrom('a', 'é', '\r\n', '\n', '\r', '\0', ' ')
  const texts = fc.array(pieces).map((parts) => new TextEncoder().encode(parts.join('')))
  const bytes = fc.oneof(
    texts,
    fc.uint8Array({ maxLength: 40 }).map((array) => Uint8Array.from(array)),
  )
  fc.assert(
    fc.property(bytes, (given) => {
      const typed = typedBodyOf(given)
      // A field for text has no other line ends.
      expect(typed.body).not.toContain('\r')
      expect(hex(typed)).toBe(Buffer.from(given).toString('hex'))
    }),
  )
})

test('large bytes are in base64', () => {
  const large = new Uint8Array(10_000).fill(0xff)
  expect(typedBodyOf(large)).toEqual({ form: 'base64', body: Buffer.from(large).toString('base64') })
  expect(base64Of(large)).toBe(Buffer.from(large).toString('base64'))
})

test.each<[TypedBody, TypedBody['form'], TypedBody | undefined]>([
  [{ form: 'hex', body: '7b7d' }, 'text', { form: 'text', body: '{}' }],
  [{ form: 'text', body: '{}' }, 'base64', { form: 'base64', body: 'e30=' }],
  [{ form: 'base64', body: 'iVD/' }, 'hex', { form: 'hex', body: '89 50 ff' }],
  [{ form: 'hex', body: '89' }, 'text', undefined],
  // As a text it is one whose lines end with two characters; as both, it is none.
  [{ form: 'hex', body: '610d0a' }, 'text', { form: 'crlf', body: 'a\n' }],
  [{ form: 'hex', body: '0d0a0a' }, 'text', undefined],
  [{ form: 'crlf', body: 'a\n' }, 'text', { form: 'text', body: 'a\n' }],
  [{ form: 'hex', body: '7' }, 'base64', { form: 'base64', body: '7' }],
])('%j as %s', (typed, form, expected) => {
  expect(retyped(typed, form)).toEqual(expected)
})

test('the value of a record that is no text is shown as its first bytes', () => {
  expect(shownBytes(Buffer.from([0x89, 0x50]).toString('base64'))).toContain('0000  89 50')
  expect(shownBytes(Buffer.alloc(513).toString('base64'))).toMatch(/… and 1 more bytes$/)
})
