import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { prettyLines } from '../../../src/lib/json/pretty-lines.js'
import { codeFrame, type Span, sourceFrame } from '../../../src/lib/terminal/frames.js'
import { styleFor } from '../../../src/lib/terminal/text.js'

const plain = styleFor(false, {})
const frame = (text: string, span: Span, width = 80) =>
  sourceFrame(text.split('\n'), span, 'red', plain, width).split('\n')
const on = (line: number, column: number, endColumn: number): Span => ({
  line,
  column,
  end: { line, column: endColumn },
})

test('the line is shown with its neighbours and carets under the whole token', () => {
  expect(frame('{\n  "a": 1,\n  "b": "two",\n  "c": 3\n}', on(3, 8, 13))).toEqual([
    '  2 |   "a": 1,',
    '> 3 |   "b": "two",',
    '    |        ^^^^^',
    '  4 |   "c": 3',
  ])
})

test('line numbers are aligned, and the first and the last line have one neighbour', () => {
  const text = Array.from({ length: 10 }, (_, index) => `line ${index + 1}`).join('\n')
  expect(frame(text, on(9, 1, 5))).toEqual([
    '   8 | line 8',
    '>  9 | line 9',
    '     | ^^^^',
    '  10 | line 10',
  ])
  expect(frame(text, on(1, 6, 7))).toEqual(['> 1 | line 1', '    |      ^', '  2 | line 2'])
  expect(frame(text, on(10, 1, 2)).at(-1)).toBe('     | ^')
})

test('of a token over several lines the first is underlined, and a point gets one caret', () => {
  expect(frame('"a": {\n}', { line: 1, column: 6, end: { line: 2, column: 2 } })[1]).toBe('    |      ^')
  expect(frame('abc', { line: 1, column: 2 })[1]).toBe('    |  ^')
  expect(frame('', on(1, 1, 1))).toEqual(['> 1 |', '    | ^'])
})

test('tabs and wide characters keep the caret under its token', () => {
  expect(frame('\t\t"a": 1', on(1, 8, 9))).toEqual(['> 1 |         "a": 1', '    |              ^'])
  expect(frame('"日本": x', on(1, 7, 8))).toEqual(['> 1 | "日本": x', '    |         ^'])
  expect(frame('"e\u0301": x', on(1, 7, 8))[1]).toBe('    |      ^')
})

test('what could move the cursor is written out', () => {
  expect(frame('"\u001b[2J" x', on(1, 8, 9))).toEqual(['> 1 | "\\u001b[2J" x', '    |             ^'])
})

test('a long line is cut around the token', () => {
  const text = `${'a'.repeat(200)}TOKEN${'b'.repeat(200)}`
  expect(frame(text, on(1, 201, 206), 40)).toEqual([
    '> 1 | …aaaaaaaaaaaTOKENbbbbbbbbbbbbbbbb…',
    '    |             ^^^^^',
  ])
  expect(frame(`${'a'.repeat(200)}TOKEN`, on(1, 201, 206), 40)[0]).toBe(
    '> 1 | …aaaaaaaaaaaaaaaaaaaaaaaaaaaaTOKEN',
  )
})

test('no line is wider than the terminal, and the caret stands under what it points at', () => {
  const line = fc.stringMatching(/^[ a-z\t]{0,120}$/)
  fc.assert(
    fc.property(line, fc.nat(120), fc.integer({ min: 30, max: 100 }), (before, more, width) => {
      const text = `${before}X${'y'.repeat(more)}`
      const rows = frame(text, on(1, before.length + 1, before.length + 2), width)
      for (const row of rows) expect(row.length).toBeLessThanOrEqual(width)
      const [source = '', carets = ''] = rows
      expect(source[carets.indexOf('^')]).toBe('X')
    }),
  )
})

test('a terminal gets colours, and the same text', () => {
  const coloured = sourceFrame(['"a": 1'], on(1, 6, 7), 'red', styleFor(true, {}), 80)
  expect(coloured).not.toBe(stripVTControlCharacters(coloured))
  expect(stripVTControlCharacters(coloured)).toBe(frame('"a": 1', on(1, 6, 7)).join('\n'))
})

const lines = prettyLines('{"id":"a","payload":{"n":1,"list":[{"x":true},{"x":"no"}]},"last":null}')

test('the value at a pointer is marked, with what stands around it', () => {
  expect(codeFrame(lines, '/payload/list/1/x', 80)).toBe(
    ['   8 |       },', '   9 |       {', '> 10 |         "x": "no"', '  11 |       }', '  12 |     ]'].join(
      '\n',
    ),
  )
})

test('a value that is missing is looked for in the nearest one that is there', () => {
  expect(codeFrame(lines, '/payload/address/city', 80)).toContain('> 3 |   "payload": {')
  expect(codeFrame(lines, '/nothing/here', 80)).toBe('> 1 | {\n  2 |   "id": "a",\n  3 |   "payload": {')
})

test('no line is longer than the width, and nothing of the event reaches the terminal as a command', () => {
  const hostile = prettyLines(JSON.stringify({ a: `\u009b31m\u202e${'x'.repeat(200)}` }))
  const frame = codeFrame(hostile, '/a', 40)
  expect(frame.split('\n').map((line) => line.length)).toEqual([7, 40, 7])
  expect(frame).toContain('\\u009b31m\\u202e')
})
