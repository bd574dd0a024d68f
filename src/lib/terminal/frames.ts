import type { PrettyLine } from '../json/pretty-lines.js'
import { cut, printable, type Style } from './text.js'

/** A part of a text; lines and columns count from 1, `end` is after its last character. */
export interface Span {
  readonly line: number
  readonly column: number
  readonly end?: { readonly line: number; readonly column: number }
}

const TAB = 4
const LEAST_WIDTH = 20
/** Columns kept before the caret if a long line is cut. */
const LEAD = 12

/**
 * The line of a span with one line before and after it, numbered, and carets under the span, or under its first line if it has
 * several. No line is longer than `width` columns.
 */
export function sourceFrame(
  lines: readonly string[],
  span: Span,
  colour: 'red' | 'yellow',
  style: Style,
  width: number,
): string {
  const { line, column, end } = span
  const text = lines[line - 1] ?? ''
  const last = end === undefined ? column + 1 : end.line > line ? text.length + 1 : end.column
  const from = columnsOf(text.slice(0, column - 1))
  const length = Math.max(1, columnsOf(text.slice(0, last - 1)) - from)

  const first = Math.max(1, line - 1)
  const numbers = Array.from({ length: Math.min(lines.length, line + 1) - first + 1 }, (_, at) => first + at)
  const digits = String(numbers.at(-1)).length
  const room = Math.max(LEAST_WIDTH, width - digits - '>  | '.length)
  const skipped = Math.max(0, Math.min(from - LEAD, columnsOf(text) - room))
  return numbers
    .map((number) => {
      const gutter = `${number === line ? '>' : ' '} ${String(number).padStart(digits)} | `
      const row = gutter + cutOut(expanded(lines[number - 1] ?? ''), skipped, room)
      if (number !== line) return style('dim', row.trimEnd())
      const carets = '^'.repeat(Math.max(1, Math.min(length, room - (from - skipped) - 1)))
      const blank = `  ${' '.repeat(digits)} | ${' '.repeat(from - skipped)}`
      return `${row.trimEnd()}\n${blank}${style(colour, carets)}`
    })
    .join('\n')
}

/** A line with its tabs as spaces and without control characters, which would move the cursor. */
function expanded(line: string): string {
  let text = ''
  let column = 0
  for (const character of line) {
    const part = shown(character, column)
    text += part
    for (const inner of part) column += widthOf(inner)
  }
  return text
}

const shown = (character: string, column: number): string =>
  character === '\t' ? ' '.repeat(TAB - (column % TAB)) : printable(character)

/** The columns that a text takes on a terminal. */
function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) {
    for (const part of shown(character, columns)) columns += widthOf(part)
  }
  return columns
}

const widthOf = (character: string): number => (/\p{Mn}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1)

const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60]/u

/** At most `room` columns, beginning with `from`; an ellipsis replaces the rest on either side. */
function cutOut(text: string, from: number, room: number): string {
  let column = 0
  let cut = ''
  for (const character of text) {
    const next = column + widthOf(character)
    if (column >= from && next <= from + room) cut += character
    else if (column < from && next > from) cut += ' '.repeat(next - from)
    column = next
  }
  const before = from > 0 ? `…${cut.slice(1)}` : cut
  return column > from + room ? `${before.slice(0, -1)}…` : before
}

/** Lines shown before and after. */
const AROUND = 2

/**
 * The lines around the value at a JSON Pointer, or, if there is none, around the innermost existing value that would contain it.
 * No line is longer than `width`.
 */
export function codeFrame(lines: readonly PrettyLine[], pointer: string, width: number): string {
  const at = nearestLine(lines, pointer)
  const from = Math.max(0, at - AROUND)
  const shown = lines.slice(from, at + AROUND + 1)
  const digits = String(from + shown.length).length
  return shown
    .map(({ text }, index) => {
      const number = from + index
      const mark = number === at ? '>' : ' '
      return cut(`${mark} ${String(number + 1).padStart(digits)} | ${printable(text)}`, width)
    })
    .join('\n')
}

function nearestLine(lines: readonly PrettyLine[], pointer: string): number {
  const at = lines.findIndex((line) => line.pointer === pointer)
  if (at !== -1 || pointer === '') return Math.max(0, at)
  return nearestLine(lines, pointer.slice(0, pointer.lastIndexOf('/')))
}
