import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as authoring from '../../src/authoring.js'
import { withQuotedFiles } from '../../src/docs/quoted-files.js'
import { KINDS } from '../../src/plugin.js'

const read = (path: string) => readFileSync(path, 'utf8')
const page = read('docs/writing-a-plugin.md')

test('the page quotes the example as it is; `npm run generate` renews it', () => {
  expect(withQuotedFiles(page, read)).toBe(page)
})

test('everything that the page says can be imported can, and every kind is described', () => {
  const rows = [...page.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm)].map(([, names = '']) => names)
  const names = rows
    .flatMap((row) => row.match(/\w+/g) ?? [])
    .filter((name) => !KINDS.some((kind) => kind === name))
  const exported = new Set([...Object.keys(authoring), 'Static'])
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => !exported.has(name))).toEqual([])
  for (const kind of KINDS) expect(page).toContain(`| \`${kind}\` |`)
})
