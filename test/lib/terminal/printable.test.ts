import { expect, test } from 'vitest'
import { cut, printable, printableLines } from '../../../src/lib/terminal/printable.js'

test('what a terminal would obey is written out, and all else stays', () => {
  expect(printable('Zürich 🚀 "x"')).toBe('Zürich 🚀 "x"')
  expect(printable('\u001b[31m\u202e\0\n')).toBe('\\u001b[31m\\u202e\\u0000\\u000a')
  expect(printableLines('a\nb\r')).toBe('a\nb\\u000d')
})

test('a text that is too long is cut, and shows that it is', () => {
  expect([cut('abcd', 4), cut('abcde', 4)]).toEqual(['abcd', 'abc…'])
})
