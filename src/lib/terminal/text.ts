import { stripVTControlCharacters, styleText } from 'node:util'

/** Text of strangers for a terminal: what could move the cursor, change colours or turn the writing around is written out. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\u${code.toString(16).padStart(4, '0')}`
  })

/** The same for text of several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu

/** At most so many characters, the last of them telling that there was more. */
export const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`

type Format = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

/** Gives text a look where a person reads it on a terminal, and leaves it as it is elsewhere. */
export type Style = (format: Format, text: string) => string

/** `NO_COLOR` in the environment, with any value, asks for plain text (no-color.org). */
export function styleFor(terminal: boolean, env: Readonly<{ [name: string]: string | undefined }>): Style {
  const plain = !terminal || env['NO_COLOR']
  // Whether a person reads it is the caller's to know; left alone, styleText would look at this process's own stdout.
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
 * Names and values below each other, the values aligned; what is undefined is left out. Values may have several lines:
 * those after the first are indented.
 */
export function pairs(facts: readonly (readonly [string, string | undefined])[]): string[] {
  const told = facts.filter((fact): fact is [string, string] => fact[1] !== undefined)
  const wide = Math.max(0, ...told.map(([name]) => printable(name).length))
  const indent = ' '.repeat(wide + 2)
  return told.map(
    ([name, value]) =>
      printable(name).padEnd(wide + 2) + printableLines(value).replaceAll('\n', `\n${indent}`),
  )
}

/** Lines below a title, indented; nothing where there are none. */
export const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', title, ...lines.map((line) => line.replace(/^(?=.)/gm, '  '))]
