import { describe, expect, it } from 'vitest'
import { SourceText } from '../../src/config/source-text.js'

/** The text of a file at the place of some of its characters. */
function shown(written: string, from: number, to: number): string {
  const file = `{\n  "jsonata": ${written}\n}`
  const { line, column, end } = new SourceText('f.json', file).locationOf('/jsonata', { from, to })
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

it('a file that is nested too deeply is refused at the bracket, whatever reads it', () => {
  for (const text of [
    '['.repeat(5000),
    `{"a":${'{"b":'.repeat(300)}1`,
    `${'['.repeat(300)}${']'.repeat(300)}`,
  ]) {
    const { problems, value } = new SourceText('deep.json', text)
    expect(value).toBeUndefined()
    expect(problems[0]).toMatchObject({
      code: 'HG_CONFIG_SYNTAX',
      location: { line: 1 },
      message: 'Objects and arrays are nested deeper than 200 here.',
    })
  }
  expect(new SourceText('x', `${'['.repeat(200)}"[[[["${']'.repeat(200)}`).problems).toEqual([])
})

it('a byte order mark is no part of the text', () => {
  const text = new SourceText('marked.json', '\ufeff{"a": 1}')
  expect([text.problems, text.value]).toEqual([[], { a: 1 }])
  expect(text.locationOf('/a')).toMatchObject({ line: 1, column: 7 })
})
