import { Ajv, type ErrorObject } from 'ajv'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { narrowSchema } from '../../src/config/narrow-schema.js'
import { plugins } from '../../src/plugins/index.js'

type Schema = { readonly [keyword: string]: unknown }

const ajv = new Ajv({
  allErrors: true,
  useDefaults: true,
  discriminator: true,
  strict: false,
  validateSchema: false,
  formats: { 'json-pointer': true, path: true },
})

/** The violations of a copy, and the copy with the defaults. */
function check(schema: Schema, value: unknown): { readonly violations: string[]; readonly filled: unknown } {
  const filled: unknown = structuredClone(value)
  const validate = ajv.compile(schema)
  const texts = (errors: readonly ErrorObject[] | null | undefined) =>
    (errors ?? []).map(({ instancePath, keyword, params }) => JSON.stringify([instancePath, keyword, params]))
  return { violations: validate(filled) ? [] : texts(validate.errors).toSorted(), filled }
}

const JUNK = fc.constantFrom<unknown>(
  null,
  true,
  0,
  -1,
  1.5,
  '',
  'junk',
  '/id',
  '10s',
  [],
  ['a'],
  {},
  { a: 1 },
)

/** Values that follow the schema here and there. */
function near(schema: Schema): fc.Arbitrary<unknown> {
  const alternatives = (schema['oneOf'] ?? schema['anyOf'] ?? schema['allOf']) as
    | readonly Schema[]
    | undefined
  const properties = schema['properties'] as { readonly [name: string]: Schema } | undefined
  const right: fc.Arbitrary<unknown>[] = []
  if (alternatives !== undefined) right.push(...alternatives.map(near))
  if ('const' in schema) right.push(fc.constant(schema['const']))
  if (Array.isArray(schema['enum'])) right.push(fc.constantFrom(...(schema['enum'] as unknown[])))
  if (typeof schema['items'] === 'object')
    right.push(fc.array(near(schema['items'] as Schema), { maxLength: 2 }))
  if (properties !== undefined) {
    const members = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, near(property)]),
    )
    right.push(fc.record({ ...members, unknown: JUNK }, { requiredKeys: [] }))
  }
  if (right.length === 0) return JUNK
  return fc.oneof({ arbitrary: fc.oneof(...right), weight: 8 }, { arbitrary: JUNK, weight: 1 })
}

test.each(plugins.map((plugin) => [plugin.name, plugin.config] as const))(
  'settings of %s, right or wrong, have the same violations and defaults by the narrowed schema',
  (_name, settings) => {
    const schema = settings as unknown as Schema
    fc.assert(
      fc.property(near(schema), (value) => {
        expect(check(narrowSchema(schema, value).schema, value)).toEqual(check(schema, value))
      }),
      { numRuns: 30 },
    )
  },
)

test('values that use the same parts share a schema, and values that use others do not', () => {
  const alternatives = ['a', 'b'].map((kind) => ({ type: 'object', properties: { kind: { const: kind } } }))
  const schema = {
    type: 'object',
    properties: { of: { discriminator: { propertyName: 'kind' }, oneOf: alternatives }, n: {} },
  }
  const partsOf = (value: unknown) => narrowSchema(schema, value).parts
  expect(partsOf({ of: { kind: 'a' } })).toBe(partsOf({ of: { kind: 'a' } }))
  expect(
    new Set([{ of: { kind: 'a' } }, { of: { kind: 'b' } }, { n: 1 }, {}, { of: 1 }].map(partsOf)).size,
  ).toBe(5)
})
