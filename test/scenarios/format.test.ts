import { readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { scenarioSchema } from '../../src/scenarios/format.js'

const read = (path: string) => readFileSync(path, 'utf8')
const files = [
  'scenarios/cxone-data-actions.json',
  ...readdirSync('docs/cookbook').map((name) => `docs/cookbook/${name}/scenarios.json`),
]

/** As editors do: keywords they do not know are skipped. */
const fits = new Ajv({ strict: false, logger: false }).compile(scenarioSchema())

test('the schema of scenarios is what they are validated with; `npm run generate` renews it', () => {
  expect(JSON.parse(read('schemas/scenarios.schema.json'))).toEqual(
    JSON.parse(JSON.stringify(scenarioSchema())),
  )
})

test.each(files)('%s fits it, and names it', (path) => {
  const value = parse(read(path))
  fits(value)
  expect(fits.errors).toBeNull()
  expect(value.$schema).toMatch(/^(\.\.\/)+schemas\/scenarios\.schema\.json$/)
})

test.each<[string, object]>([
  ['nothing expected', { name: 'a', event: 1, expect: {} }],
  ['a mistyped expectation', { name: 'a', event: 1, expect: { rout: 'x' } }],
  ['an unknown outcome', { name: 'a', event: 1, expect: { outcome: 'duplicate' } }],
  ['no event', { name: 'a', expect: { key: null } }],
  ['two events', { name: 'a', event: 1, text: '1', expect: { key: null } }],
])('%s does not fit it', (_name, scenario) => {
  expect(fits({ scenarios: [scenario] })).toBe(false)
})

test('every setting has a text for editors', () => {
  const without: string[] = []
  const visit = (schema: { [keyword: string]: unknown }, at: string): void => {
    for (const [name, property] of Object.entries((schema['properties'] ?? {}) as object)) {
      const { description, anyOf = [], items } = property
      if (typeof description !== 'string') without.push(`${at}/${name}`)
      for (const inner of [property, ...anyOf, items ?? {}]) visit(inner, `${at}/${name}`)
    }
  }
  visit(JSON.parse(JSON.stringify(scenarioSchema())), '')
  // `expect` says it at its place.
  expect(without).toEqual([])
})
