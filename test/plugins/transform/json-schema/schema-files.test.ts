import { describe, expect, it, test } from 'vitest'
import type { ConfigProblem } from '../../../../src/contract/index.js'
import { parseBody } from '../../../../src/lib/json/body.js'
import { jsonSchema } from '../../../../src/plugins/transform/json-schema/index.js'
import { fillDefaults, temporaryDirectory, testContext } from '../../../helpers/context.js'

interface Folder {
  readonly [path: string]: object | string | boolean
}

const MAIN = './schemas/main.json'

function folder(files: Folder): string {
  const texts = Object.entries(files).map(([path, content]) => [
    `schemas/${path}`,
    typeof content === 'string' ? content : JSON.stringify(content),
  ])
  return temporaryDirectory(Object.fromEntries(texts))
}

function problems(files: Folder): ConfigProblem[] {
  const { files: reader } = testContext({ root: folder(files) })
  const config = fillDefaults(jsonSchema, { schema: MAIN })
  return [...(jsonSchema.check?.(config, { files: reader, exposed: false, deadLetters: false }) ?? [])]
}

function kindOf(files: Folder, value: unknown): string {
  const context = testContext({ root: folder(files) })
  const transform = jsonSchema.create(fillDefaults(jsonSchema, { schema: MAIN }), context)
  const body = parseBody(Buffer.from(JSON.stringify(value)), 64)
  const verdict = transform.apply({ id: 'e1', body, receivedAt: 0 })
  return 'kind' in verdict ? verdict.kind : 'promise'
}

test('schema files that begin with a byte order mark are read without it', () => {
  const marked = (schema: object) => `\ufeff${JSON.stringify(schema)}`
  const files = {
    'main.json': marked({ properties: { n: { maximum: 7 }, id: { $ref: 'b.json' } } }),
    'b.json': marked({ type: 'string' }),
  }
  expect(problems(files)).toEqual([])
  expect(kindOf(files, { id: 'a' })).toBe('pass')
  expect(kindOf(files, { id: 1 })).toBe('fail')
})

describe('references among schema files', () => {
  it.each<[string, Folder]>([
    ['a file beside', { 'main.json': { $ref: 'b.json' }, 'b.json': { type: 'string' } }],
    ['a file in a folder below', { 'main.json': { $ref: './sub/b.json' }, 'sub/b.json': { type: 'string' } }],
    [
      'a definition in a file beside',
      { 'main.json': { $ref: 'b.json#/$defs/t' }, 'b.json': { $defs: { t: { type: 'string' } } } },
    ],
    [
      'an anchor in a file beside',
      { 'main.json': { $ref: 'b.json#t' }, 'b.json': { $defs: { t: { $anchor: 't', type: 'string' } } } },
    ],
    [
      'a file that lies as its $id does',
      {
        'main.json': { $id: 'https://example.com/s/main.json', $ref: 'b.json' },
        'b.json': { $id: 'https://example.com/s/b.json', type: 'string' },
      },
    ],
    [
      'a file that has the $id, whatever its name',
      {
        'main.json': { $ref: 'https://example.com/text' },
        'anything.json': { $id: 'https://example.com/text#', type: 'string' },
        'broken.json': '{',
        'other.json': { $id: 'https://example.com/number', type: 'number' },
      },
    ],
    [
      'a urn',
      { 'main.json': { $ref: 'urn:example:text' }, 'b.json': { $id: 'urn:example:text', type: 'string' } },
    ],
    [
      'a file by two of its names',
      {
        'main.json': {
          $id: 'https://a.example/main.json',
          allOf: [{ $ref: 'b.json' }, { $ref: 'https://b.example/b' }],
        },
        'b.json': { $id: 'https://b.example/b', type: 'string' },
      },
    ],
    [
      'a boolean schema',
      { 'main.json': { anyOf: [{ type: 'string' }, { $ref: 'no.json' }] }, 'no.json': false },
    ],
    [
      'another draft, each file in its own',
      {
        'main.json': {
          $schema: 'https://json-schema.org/draft/2020-12/schema',
          $ref: 'b.json',
        },
        'b.json': {
          $schema: 'http://json-schema.org/draft-07/schema#',
          allOf: [{ $ref: '#/definitions/t', type: 'number' }],
          definitions: { t: { type: 'string' } },
        },
      },
    ],
    [
      'relative "$id"s',
      {
        'main.json': {
          $id: 'base/main.json',
          $ref: 'item.json',
          $defs: { item: { $id: 'item.json', $ref: '#/$defs/t', $defs: { t: { type: 'string' } } } },
        },
      },
    ],
    [
      'the schema of schemas',
      { 'main.json': { type: 'string', not: { $ref: 'http://json-schema.org/draft-07/schema#' } } },
    ],
    [
      'draft 07',
      {
        'main.json': { $schema: 'http://json-schema.org/draft-07/schema#', $ref: 'b.json#/definitions/t' },
        'b.json': { definitions: { t: { type: 'string' } } },
      },
    ],
  ])('finds %s', (_, files) => {
    expect(problems(files)).toEqual([])
    expect(kindOf(files, 'text')).toBe('pass')
    expect(kindOf(files, 7)).toBe('fail')
  })

  it('follows references that go round in a circle', () => {
    const files = {
      'main.json': { type: 'object', properties: { child: { $ref: 'b.json' } }, required: ['name'] },
      'b.json': { allOf: [{ $ref: 'main.json' }], properties: { size: { type: 'number' } } },
    }

    expect(kindOf(files, { name: 1, child: { name: 2, child: { name: 3, size: 4 } } })).toBe('pass')
    expect(kindOf(files, { name: 1, child: { name: 2, child: { size: 4 } } })).toBe('fail')
    expect(kindOf(files, { name: 1, child: { name: 2, size: '4' } })).toBe('fail')
  })
})

describe('problems of schema files', () => {
  it.each<[string, Folder, string]>([
    [
      'text that is not JSON, with its place',
      { 'main.json': '{\n  "type": oops\n}' },
      'The schema file ./schemas/main.json is not JSON: a word that is no JSON value at line 2, column 11.',
    ],
    [
      'a value that is no schema',
      { 'main.json': '[]' },
      'The schema file ./schemas/main.json holds neither an object nor a boolean.',
    ],
    [
      'another draft',
      { 'main.json': { $schema: 'http://json-schema.org/draft-04/schema#' } },
      'The schema file ./schemas/main.json has a "$schema" that is neither draft 07 nor 2020-12.',
    ],
    [
      'a schema that is not valid',
      { 'main.json': { properties: { a: { type: 'strnig' } } } },
      'The schema file ./schemas/main.json is not a valid JSON Schema: /properties/a/type must be one of "array", "boolean", "integer", "null", "number", "object", "string".',
    ],
    [
      'a pattern that cannot run in linear time',
      { 'main.json': { $ref: 'b.json' }, 'b.json': { properties: { a: { pattern: 'x(?=a)' } } } },
      'The schema file schemas/b.json at /properties/a/pattern has a pattern that cannot be used: RE2 syntax has no look-around: "(?=" at position 1.',
    ],
    [
      'a pattern for names that cannot run in linear time',
      { 'main.json': { patternProperties: { '(a)\\1': true } } },
      'The schema file ./schemas/main.json at /patternProperties has a pattern that cannot be used: RE2 syntax has no back-references: "\\\\1" at position 3.',
    ],
    [
      'an $id that is none',
      { 'main.json': { $id: 'http://' } },
      'The schema file ./schemas/main.json has an "$id" that is not a URI.',
    ],
    [
      'one $id for two schemas',
      { 'main.json': { $defs: { a: { $id: 'x', type: 'string' }, b: { $id: 'x', type: 'number' } } } },
      expect.stringMatching(
        /^The schema file \.\/schemas\/main\.json at \/\$defs\/b has the "\$id" ".*x", which another schema has already\.$/,
      ) as unknown as string,
    ],
    [
      'a reference that is no URI',
      { 'main.json': { $ref: '%E0%A4%A' } },
      expect.stringContaining('The schema file ./schemas/main.json') as unknown as string,
    ],
    [
      'a schema that refers to itself at the same place of the event',
      { 'main.json': { $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } }, $ref: '#/$defs/a' } },
      'The schema file ./schemas/main.json at /$defs/a refers to itself without looking deeper into the event, so that a check would never end.',
    ],
    [
      'a schema that is nested too deeply',
      { 'main.json': `${'{"not":'.repeat(20_000)}{}${'}'.repeat(20_000)}` },
      'The schema file ./schemas/main.json is nested too deeply.',
    ],
    [
      'a file that is not there',
      { 'main.json': { properties: { a: { $ref: 'b.json#/x' } } } },
      'The schema file ./schemas/main.json at /properties/a/$ref refers to "b.json", which is not in the folder of the schema.',
    ],
    [
      'a definition that is not there',
      { 'main.json': { $ref: 'b.json' }, 'b.json': { allOf: [{ $ref: '#/$defs/x' }] } },
      'The schema file schemas/b.json at /allOf/0/$ref refers to "schemas/b.json#/$defs/x", which does not exist.',
    ],
    [
      'an address that would have to be fetched',
      { 'main.json': { $ref: 'https://example.com/b.json' } },
      'The schema file ./schemas/main.json at /$ref refers to "https://example.com/b.json", which no file in the folder of the schema has as its "$id"; nothing is fetched over the network.',
    ],
  ])('names %s', (_, files, message) => {
    expect(problems(files)).toEqual([{ at: '/schema', code: 'HG_CONFIG_SCHEMA_FILE', message }])
  })

  it('reports every place where a schema is not valid', () => {
    const found = problems({ 'main.json': { type: 'strnig', required: 'a', minLength: -1 } })

    expect(found.map(({ message }) => /: (\S*)/.exec(message)?.[1])).toEqual(
      expect.arrayContaining(['/type', '/required', '/minLength']),
    )
  })

  it('says that a file cannot be read', () => {
    expect(problems({})).toMatchObject([{ at: '/schema', code: 'HG_CONFIG_UNREADABLE' }])
  })

  it.each(['../outside.json', '%2e%2e/outside.json', 'file:///etc/hostname'])(
    'reads nothing outside of the folder: %s',
    (reference) => {
      const files = { 'main.json': { $ref: reference }, '../outside.json': { type: 'string' } }

      expect(problems(files)).toMatchObject([
        { code: 'HG_CONFIG_SCHEMA_FILE', message: expect.stringContaining('not in the folder') },
      ])
    },
  )

  it.each<[string, object]>([
    ['annotations of other tools', { 'x-owner': 'me', properties: { 'x-a': { 'x-b': 1 } } }],
    [
      'keywords of other tools without x-',
      { tsType: 'string', markdownDescription: 'a', defaultSnippets: [] },
    ],
    ['keywords of ajv and OpenAPI', { $async: true, nullable: true, discriminator: {}, example: 1 }],
    ['formats that the drafts do not define', { format: 'colour', properties: { a: { format: 'int64' } } }],
    [
      '"if" alone, "then" alone, "else" alone',
      { if: {}, allOf: [JSON.parse('{"then":false}'), { else: false }] },
    ],
    ['a property that a pattern matches too', { properties: { ab: {} }, patternProperties: { '^a': {} } }],
    [
      '"items" beside "prefixItems", limits of "contains" alone',
      { prefixItems: [{}], items: {}, minContains: 2 },
    ],
    ['required names that no property describes', { required: ['b'], properties: { a: {} } }],
    ['patterns by Unicode properties', { pattern: '^\\p{Letter}+$' }],
    ['an empty enum, and one with equal values', { anyOf: [{}, { enum: [] }, { enum: [1, 1] }] }],
    ['types that cannot meet', { type: 'string', minimum: 5, properties: {} }],
  ])('takes %s', (_, schema) => {
    expect(problems({ 'main.json': schema })).toEqual([])
    expect(kindOf({ 'main.json': schema }, { q: 1, b: 2 })).toBe(
      JSON.stringify(schema).includes('"type":"string"') ? 'fail' : 'pass',
    )
  })
})
