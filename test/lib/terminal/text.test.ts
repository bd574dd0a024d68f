import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { cut, printable, printableLines, styleFor, table } from '../../../src/lib/terminal/text.js'

test('what a terminal would obey is written out, and all else stays', () => {
  expect(printable('Zürich 🚀 "x"')).toBe('Zürich 🚀 "x"')
  expect(printable('\u001b[31m\u202e\0\n')).toBe('\\u001b[31m\\u202e\\u0000\\u000a')
  expect(printableLines('a\nb\r')).toBe('a\nb\\u000d')
})

test('a text that is too long is cut, and shows that it is', () => {
  expect([cut('abcd', 4), cut('abcde', 4)]).toEqual(['abcd', 'abc…'])
})

test('a terminal gets colours', () => {
  const text = styleFor(true, {})('red', 'failed')
  expect(text).not.toBe('failed')
  expect(stripVTControlCharacters(text)).toBe('failed')
})

test.each([
  ['a file', false, {}],
  ['somebody who asked for none', true, { NO_COLOR: '1' }],
] as const)('%s gets plain text', (_who, terminal, env) => {
  expect(styleFor(terminal, env)('red', 'failed')).toBe('failed')
})

const COLUMNS = [
  { title: 'route', align: 'left' },
  { title: 'sent', align: 'right' },
] as const

test('columns are as wide as their widest cell, texts to the left and numbers to the right', () => {
  const text = table(COLUMNS, [
    ['high-priority', '7'],
    ['eu', '12345'],
  ])
  expect(text.split('\n')).toEqual(['route           sent', 'high-priority      7', 'eu             12345'])
})

test('a colour does not count as width', () => {
  const red = styleFor(true, {})('red', '7')
  expect(red).not.toBe('7')
  const [, plain, styled] = table(COLUMNS, [
    ['eu', '7'],
    ['eu', red],
  ]).split('\n')
  expect(styled).toBe(plain?.replace('7', red))
})

test('a missing cell is empty and leaves no space at the end of the line', () => {
  expect(table(COLUMNS, [['eu']])).toBe('route  sent\neu')
})
