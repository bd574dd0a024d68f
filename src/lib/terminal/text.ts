import { stripVTControlCharacters, styleText } from 'node:util'

/** Escapes the characters of a stranger's text that could move the cursor, change colours or reverse the direction of text. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\u${code.toString(16).padStart(4, '0')}`
  })

/** The same for text of several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu

/** At most `width` characters, with an ellipsis as the last one if the text was longer. */
export const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`

type Format = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

/** Formats text for a terminal; returns it unchanged if the output is not a terminal. */
export type Style = (format: Format, text: string) => string

/** `NO_COLOR` in the environment, with any value, asks for plain text (no-color.org). */
export function styleFor(terminal: boolean, env: Readonly<{ [name: string]: string | undefined }>): Style {
  const plain = !terminal || env['NO_COLOR']
  // The caller decides whether the output is a terminal; by default styleText would check the stdout of this process.
  return (format, text) => (plain ? text : styleText(format, text, { validateStream: false }))
}

export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
}

const GAP = '  '

/** Rows below the titles of their columns, aligned. Cells may be styled; the last line has no line end. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => widthOf(line[at] ?? ''))))
  const pad = (cell: string, at: number): string => {
    const space = ' '.repeat((widths[at] ?? 0) - widthOf(cell))
    return columns[at]?.align === 'right' ? space + cell : cell + space
  }
  return lines
    .map((line) =>
      columns
        .map((_, at) => pad(line[at] ?? '', at))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n')
}

const widthOf = (cell: string): number => stripVTControlCharacters(cell).length

/**
 * Names and values, one per line, the values aligned; undefined values are left out. A value may have several lines: those after
 * the first are indented.
 */
export function pairs(facts: readonly (readonly [string, string | undefined])[]): string[] {
  const shown = facts.filter((fact): fact is [string, string] => fact[1] !== undefined)
  const wide = Math.max(0, ...shown.map(([name]) => printable(name).length))
  const indent = ' '.repeat(wide + 2)
  return shown.map(
    ([name, value]) =>
      printable(name).padEnd(wide + 2) + printableLines(value).replaceAll('\n', `\n${indent}`),
  )
}

/** A title and its lines, indented; empty if there are no lines. */
export const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', title, ...lines.map((line) => line.replace(/^(?=.)/gm, '  '))]
