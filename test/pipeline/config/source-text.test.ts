import { describe, expect, it } from 'vitest'
import { readSourceText } from '../../../src/pipeline/config/source-text.js'

/** What stands in a file of one text at the place of some of its characters. */
function shown(written: string, from: number, to: number): string {
  const file = `{\n  "jsonata": ${written}\n}`
  const { line, column, end } = readSourceText('f.json', file).placeOf('/jsonata', { from, to })
  return file.split('\n')[line - 1]?.slice(column - 1, (end?.column ?? 0) - 1) ?? ''
}

describe('the place of a part of a text', () => {
  it.each([
    [`"a == 'x'"`, 2, 4, '=='],
    [String.raw`"\"a\" == x"`, 4, 6, '=='],
    [String.raw`"a = \"\u00e9\\\" == x"`, 9, 11, '=='],
    ['"a =="', 2, 4, '=='],
    // Behind the end: the closing quote.
    ['"a ="', 3, 4, '"'],
    ['"😀 == x"', 3, 5, '=='],
  ])('%s from %i to %i is %s', (written, from, to, part) => {
    expect(shown(written, from, to)).toBe(part)
  })

  it('is that of the whole text when it has a reference, which is not its value', () => {
    expect(shown(`"\${env:A} == 1"`, 2, 4)).toBe(`"\${env:A} == 1"`)
  })
})
