import { expect, test } from 'vitest'
import { isText } from '../../src/lib/is-text.js'

test('text is UTF-8 with no other control characters than those of white space', () => {
  expect(isText(Buffer.from('{"a":\t"ä"}\r\n'))).toBe(true)
  expect(isText(Buffer.from('a\u0000b'))).toBe(false)
  expect(isText(Buffer.from('\u001b[31m'))).toBe(false)
  expect(isText(Buffer.from('ä', 'latin1'))).toBe(false)
})
