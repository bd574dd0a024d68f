import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { KINDS } from '../../src/contract/index.js'
import * as authoring from '../../src/sdk.js'

const page = readFileSync('docs/writing-a-plugin.md', 'utf8')

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
