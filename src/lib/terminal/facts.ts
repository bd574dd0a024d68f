import { printable, printableLines } from './printable.js'

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
