import type { PrettyLine } from '../json/pretty-lines.js'
import { cut, printable } from './printable.js'

/** Lines shown before and after. */
const AROUND = 2

/**
 * The lines around the value at a JSON Pointer, or, where there is none, around the nearest value that it would be in.
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
