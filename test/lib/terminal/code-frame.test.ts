import { expect, test } from 'vitest'
import { prettyLines } from '../../../src/lib/json/pretty-lines.js'
import { codeFrame } from '../../../src/lib/terminal/code-frame.js'

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
