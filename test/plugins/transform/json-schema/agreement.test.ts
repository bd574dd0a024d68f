import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atOnce } from '../../../../src/lib/slices.js'
import { link, validator } from '../../../../src/plugins/transform/json-schema/compile.js'
import { type JsonSchema, parse } from '../../../../src/plugins/transform/json-schema/documents.js'
import { Evaluation } from '../../../../src/plugins/transform/json-schema/evaluate.js'
import { Generator } from '../../../../src/plugins/transform/json-schema/generate.js'
import { Work } from '../../../../src/plugins/transform/json-schema/work.js'

const names = fc.constantFrom('a', 'b', 'ab', 'constructor')
const scalar = fc.constantFrom(null, true, 0, 1, 2.5, -3, '', 'a', 'ab', '\u{1F600}')
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4 }),
  ),
}))
const small = fc.integer({ min: 0, max: 3 })
const keyword = (name: string, values: fc.Arbitrary<unknown>) => values.map((one) => [name, one] as const)
const { schema } = fc.letrec((tie) => {
  const some = fc.array(tie('schema'), { minLength: 1, maxLength: 3 })
  return {
    schema: fc.oneof(
      { maxDepth: 3 },
      fc.boolean(),
      fc
        .uniqueArray(
          fc.oneof(
            keyword(
              'type',
              fc.uniqueArray(
                fc.constantFrom('null', 'boolean', 'integer', 'number', 'string', 'array', 'object'),
                { minLength: 1 },
              ),
            ),
            keyword('const', value),
            keyword('enum', fc.array(value, { minLength: 1, maxLength: 20 })),
            keyword('minimum', fc.constantFrom(-3, 0, 1.5)),
            keyword('exclusiveMaximum', fc.constantFrom(1, 2.5)),
            keyword('multipleOf', fc.constantFrom(0.5, 1, 3)),
            ...[
              'minLength',
              'maxLength',
              'minItems',
              'maxItems',
              'minProperties',
              'maxProperties',
              'minContains',
              'maxContains',
            ].map((name) => keyword(name, small)),
            keyword('pattern', fc.constantFrom('^a', 'b$', '.')),
            keyword('uniqueItems', fc.boolean()),
            keyword('required', fc.uniqueArray(names)),
            keyword('dependentRequired', fc.dictionary(names, fc.uniqueArray(names))),
            ...['properties', 'dependentSchemas'].map((name) =>
              keyword(name, fc.dictionary(names, tie('schema'), { maxKeys: 3 })),
            ),
            keyword(
              'patternProperties',
              fc.dictionary(fc.constantFrom('^a', 'b', 'c$'), tie('schema'), { maxKeys: 2 }),
            ),
            ...[
              'additionalProperties',
              'propertyNames',
              'items',
              'contains',
              'not',
              'if',
              'then',
              'else',
            ].map((name) => keyword(name, tie('schema'))),
            ...['allOf', 'anyOf', 'oneOf', 'prefixItems'].map((name) => keyword(name, some)),
            keyword('$ref', fc.constantFrom('#/$defs/a', '#/$defs/b')),
          ),
          { selector: ([name]) => name, maxLength: 5 },
        )
        .map((entries) => Object.fromEntries(entries)),
    ),
  }
})

/** References only from the top, and among members, so that none goes round in a circle. */
const document = fc.tuple(schema, schema, schema).map(([top, a, b]) => ({
  allOf: [top],
  $defs: { a: withoutReferences(a), b: withoutReferences(b) },
}))

const withoutReferences = (one: unknown): unknown =>
  JSON.parse(JSON.stringify(one), function (this: unknown, key, inner: unknown) {
    return key === '$ref' ? undefined : inner
  })

function both(one: unknown) {
  const main = {
    path: 'main.json',
    uri: 'file:///main.json',
    schema: parse('main.json', JSON.stringify(one)) as JsonSchema,
  }
  const linked = atOnce(link(main, () => undefined, true))
  const work = new Work()
  const evaluation = new Evaluation(work, (resource, anchor) => linked.linker.anchored(resource, anchor))
  return {
    generated: atOnce(new Generator(work, evaluation, linked.linker.patterns, true).function(linked.root)),
    evaluated: (event: unknown) => evaluation.fits(linked.root, event),
    reasons: atOnce(validator(linked)),
    work,
  }
}

describe('what ajv generates, and the evaluation of what ajv decides wrong', () => {
  it('agree, and there are reasons for every event that does not fit', () => {
    fc.assert(
      fc.property(document, fc.array(value, { minLength: 1, maxLength: 5 }), (one, events) => {
        const { generated, evaluated, reasons, work } = both(one)
        for (const event of events) {
          work.begin(0)
          const fits = evaluated(event)
          work.begin(0)
          expect(generated(event)).toBe(fits)
          expect(reasons({ bytes: Buffer.from(JSON.stringify(event)), value: event }).length === 0).toBe(fits)
        }
      }),
      { numRuns: 300 },
    )
  })
})
