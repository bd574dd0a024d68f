import { describe, expect, it } from 'vitest'
import { jsonSchema } from '../../../../src/plugins/transform/json-schema/index.js'
import { fillDefaults, temporaryDirectory, testContext } from '../../../helpers/context.js'

const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'

function findings(schema: object): string[] {
  const root = temporaryDirectory({ 'event.json': JSON.stringify(schema) })
  const config = fillDefaults(jsonSchema, { schema: './event.json' })
  const context = {
    files: testContext({ root }).files,
    exposed: false,
    deadLetters: false,
    ensured: [],
    maxBody: undefined,
    redeliveryBy: 'id+bytes' as const,
  }
  return [...(jsonSchema.lint?.(config, context) ?? [])].map(
    ({ name, message, suggestion }) =>
      `${name}: ${message.replace('./event.json', 'it')}${suggestion === undefined ? '' : ` ${suggestion}`}`,
  )
}

describe('lint of a JSON Schema', () => {
  it.each<[string, object, string]>([
    [
      'a typo',
      { properties: { a: { requierd: ['b'] } } },
      'schema-unknown-keyword: it at /properties/a/requierd: draft 2020-12 has no keyword "requierd", so that it checks nothing. Did you mean "required"?',
    ],
    [
      'a keyword of another tool',
      { markdownDescription: 'a' },
      'schema-unknown-keyword: it at /markdownDescription: draft 2020-12 has no keyword "markdownDescription", so that it checks nothing.',
    ],
    [
      'a format that checks nothing',
      { items: { format: 'colour' } },
      'schema-unknown-format: it at /items/format: the format "colour" is none of JSON Schema, so that it checks nothing.',
    ],
    [
      'what stands beside a reference in draft 07',
      {
        $schema: DRAFT_07,
        $ref: '#/definitions/a',
        type: 'string',
        description: 'a',
        definitions: { a: {} },
      },
      'schema-ignored-keyword: it at /type: draft 07 ignores everything beside "$ref"; put both into an "allOf".',
    ],
    [
      'nullable',
      { type: 'string', nullable: true },
      'schema-ignored-keyword: it at /nullable: it is a word of OpenAPI; write "type": ["string", "null"], say.',
    ],
    [
      'a condition without its first half',
      { else: false },
      'schema-ignored-keyword: it at /else: there is no "if" beside it.',
    ],
    [
      'a limit of nothing',
      { minContains: 2 },
      'schema-ignored-keyword: it at /minContains: there is no "contains" beside it.',
    ],
    [
      'a word of the other draft',
      { $schema: DRAFT_07, unevaluatedProperties: false },
      'schema-ignored-keyword: it at /unevaluatedProperties: it is a word of draft 2020-12.',
    ],
    [
      'recursion through alternatives',
      {
        type: 'object',
        oneOf: [{ properties: { c: { $ref: '#' } } }, { properties: { c: { $ref: '#' } }, required: ['x'] }],
      },
      'schema-recursive-alternatives: it: two or more alternatives lead back to this schema, so that the work for an event can double with each level of its nesting.',
    ],
  ])('names %s', (_, schema, finding) => {
    expect(findings(schema)).toEqual([finding])
  })

  it.each<[string, object]>([
    [
      'a plain schema',
      { type: 'object', properties: { a: { format: 'date-time', 'x-a': 1 } }, $defs: { b: {} } },
    ],
    [
      'recursion that goes one way',
      { properties: { children: { items: { $ref: '#' } }, parent: { $ref: '#' } } },
    ],
    [
      'alternatives of different types',
      {
        anyOf: [
          { type: 'array', items: { $ref: '#' } },
          { type: 'object', additionalProperties: { $ref: '#' } },
        ],
      },
    ],
    [
      'alternatives that a constant tells apart',
      {
        oneOf: [
          { properties: { kind: { const: 'and' }, of: { items: { $ref: '#' } } } },
          { properties: { kind: { enum: ['or', 'xor'] }, of: { items: { $ref: '#' } } } },
        ],
      },
    ],
  ])('has nothing to say of %s', (_, schema) => {
    expect(findings(schema)).toEqual([])
  })
})
