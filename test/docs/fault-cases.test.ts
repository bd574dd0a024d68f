import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const FOLDER = 'test/faults'
const CASES = Array.from({ length: 44 }, (_, index) => index + 1)

const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }))

/** By the names of tests, which begin with them. */
const casesIn = (text: string): number[] =>
  [...text.matchAll(/['`]case (\d+): /g)].map(([, number]) => Number(number))

/** The lines of the table at the head of a test file, or of the one in the README. */
const rowsOf = (text: string): string[] =>
  text.split('\n').filter((line) => /^(?: \* )?\|\s*\d+\s*\|/.test(line))
const numberIn = (row: string): number => Number(/\|\s*(\d+)\s*\|/.exec(row)?.[1])

test('every fault case has a test with its number in its name', () => {
  const tested = new Set(files.flatMap(({ text }) => casesIn(text)))
  expect([...tested].toSorted((a, b) => a - b)).toEqual(CASES)
})

test.each(files.map(({ name, text }) => [name, text] as const))(
  'the table at the head of %s names the cases that are in it',
  (_, text) => {
    const listed = new Set(rowsOf(text).map(numberIn))
    expect([...listed].toSorted((a, b) => a - b)).toEqual(
      [...new Set(casesIn(text))].toSorted((a, b) => a - b),
    )
  },
)

test('the README lists every case, with the files that test it', () => {
  const rows = rowsOf(readFileSync(join(FOLDER, 'README.md'), 'utf8'))
  expect(rows.map(numberIn)).toEqual(CASES)
  for (const row of rows) {
    const named = [...row.matchAll(/`([a-z-]+\.test\.ts)`/g)].map(([, name]) => name)
    const having = files.filter(({ text }) => casesIn(text).includes(numberIn(row))).map(({ name }) => name)
    expect({ row, files: named.toSorted() }).toEqual({ row, files: having.toSorted() })
  }
})
