import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LINTS, lintTable } from '../../src/config/lint-names.js'
import { plugins } from '../../src/plugins/index.js'
import { lintReference } from '../../tools/docs/lint-reference.js'

const meanings = [LINTS, ...plugins.map(({ lints }) => lints ?? {})].flatMap((lints) => Object.entries(lints))

test('the page of warnings is what the declarations say; `npm run generate` renews it', () => {
  expect(readFileSync('docs/lint.md', 'utf8')).toBe(lintReference(plugins))
})

test('every warning has a name of its own, a meaning and a reason', () => {
  expect(lintTable(plugins).size).toBe(meanings.length)
  for (const [name, { meaning, why }] of meanings) {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)+$/)
    expect(meaning).toMatch(/^[A-Z].*\.$/)
    expect(why).toMatch(/^[A-Z].*\.$/)
  }
})
