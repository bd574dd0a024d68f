import { describe, expect, it } from 'vitest'
import { event, passes, stage } from './stage.js'

const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'

describe('what ajv decides otherwise is decided as the drafts say', () => {
  it.each<[string, object | string, string, boolean]>([
    [
      'what a condition in dependentSchemas evaluates',
      JSON.parse(
        '{"dependentSchemas":{"a":{"if":{"properties":{"b":true}},"then":{"properties":{"c":true}}}},"properties":{"a":true},"unevaluatedProperties":false}',
      ),
      '{"a":1,"b":1,"c":1}',
      true,
    ],
    [
      'and what it does not',
      JSON.parse(
        '{"dependentSchemas":{"a":{"if":{"properties":{"b":{"const":2}}},"then":{"properties":{"c":true}}}},"properties":{"a":true},"unevaluatedProperties":false}',
      ),
      '{"a":1,"b":1,"c":1}',
      false,
    ],
    [
      '"if" without "then" evaluates',
      { if: { properties: { a: { const: 1 } }, required: ['a'] }, unevaluatedProperties: false },
      '{"a":1}',
      true,
    ],
    [
      '"if" that does not hold evaluates nothing',
      { if: { properties: { a: { const: 1 } } }, unevaluatedProperties: false },
      '{"a":2}',
      false,
    ],
    [
      'what "contains" finds is evaluated',
      { contains: { type: 'string' }, unevaluatedItems: false },
      '["a","b"]',
      true,
    ],
    [
      'and what it does not find is not',
      { contains: { type: 'string' }, unevaluatedItems: false },
      '["a",1]',
      false,
    ],
    [
      '"contains" and "prefixItems" together',
      { prefixItems: [true], contains: { const: 3 }, unevaluatedItems: { const: 9 } },
      '[1,9,3,9]',
      true,
    ],
    [
      '"not" evaluates nothing',
      { not: { not: { properties: { a: true } } }, unevaluatedProperties: false },
      '{"a":1}',
      false,
    ],
    [
      'a dynamic reference to the outermost',
      {
        $id: 'https://a.example/strict',
        $dynamicAnchor: 'node',
        $ref: 'tree',
        unevaluatedProperties: false,
        $defs: {
          tree: {
            $id: 'tree',
            $dynamicAnchor: 'node',
            type: 'object',
            properties: { data: true, children: { items: { $dynamicRef: '#node' } } },
          },
        },
      },
      '{"children":[{"daat":1}]}',
      false,
    ],
    [
      'siblings of a reference in draft 07',
      { $schema: DRAFT_07, definitions: { a: true }, $ref: '#/definitions/a', type: 'string' },
      '1',
      true,
    ],
    [
      'siblings of a reference in 2020-12',
      { $defs: { a: true }, $ref: '#/$defs/a', type: 'string' },
      '1',
      false,
    ],
    ['"nullable", which is no keyword', { type: 'string', nullable: true }, 'null', false],
    [
      'a property named __proto__',
      '{"properties":{"__proto__":{"type":"string"}}}',
      '{"__proto__":1}',
      false,
    ],
    [
      'a property named __proto__ that fits',
      '{"properties":{"__proto__":{"type":"string"}},"additionalProperties":false}',
      '{"__proto__":"a"}',
      true,
    ],
    ['a required __proto__ that is not there', { required: ['__proto__'] }, '{}', false],
    ['a required __proto__', { required: ['__proto__'] }, '{"__proto__":1}', true],
    ['dependencies of __proto__', '{"dependentRequired":{"__proto__":["a"]}}', '{"__proto__":1}', false],
    [
      'a pattern for __proto__',
      '{"patternProperties":{"^__proto__$":{"type":"string"}}}',
      '{"__proto__":1}',
      false,
    ],
    ['an inherited name is not there', { dependentRequired: { toString: ['a'] } }, '{}', true],
    [
      'words of 2020-12 in draft 07',
      {
        $schema: DRAFT_07,
        dependentRequired: { a: ['b'] },
        prefixItems: [false],
        unevaluatedProperties: false,
      },
      '{"a":1}',
      true,
    ],
    [
      'a list of items in draft 07',
      { $schema: DRAFT_07, items: [{ type: 'string' }], additionalItems: false },
      '["a",1]',
      false,
    ],
    [
      'dependencies in draft 07',
      { $schema: DRAFT_07, dependencies: { a: ['b'], c: { required: ['d'] } } },
      '{"c":1}',
      false,
    ],
    [
      '"contains" with limits',
      { contains: { type: 'string' }, minContains: 2, maxContains: 3 },
      '["a",1,"b","c","d"]',
      false,
    ],
    [
      '"contains" that need not be',
      { contains: { type: 'string' }, minContains: 0, unevaluatedItems: false },
      '[1]',
      false,
    ],
    ['"contains" that always holds', { contains: true, unevaluatedItems: false }, '[1]', true],
    [
      'a property that a pattern matches too',
      { properties: { ab: { type: 'string' } }, patternProperties: { '^a': { minLength: 3 } } },
      '{"ab":"ab"}',
      false,
    ],
    ['code points count, not units', { maxLength: 1 }, '"\u{1F600}"', true],
    ['ECMA classes in a pattern', { pattern: '^\\s.$' }, '"\\u3000\\u00a0"', true],
    ['line ends in a pattern', { pattern: '^.$' }, '"\\r"', false],
  ])('%s', (_, schema, text, expected) => {
    expect(passes(schema, text)).toBe(expected)
  })
})

describe('a format', () => {
  it.each([
    ['date-time', '2026-01-01T00:00:00Z', true],
    ['date-time', '2026-01-01t00:00:00z', true],
    ['date-time', '2026-01-01T00:00:00.1234567890123456+05:30', true],
    ['date-time', '2026-01-01T00:00:00+01', false],
    ['date-time', '2026-01-01T00:00:00+0100', false],
    ['date-time', '2026-01-01T00:00:00', false],
    ['date-time', '2026-01-01 00:00:00Z', false],
    ['date-time', '2026-01-01T24:00:00Z', false],
    ['date-time', '2026-01-01T00:00:00.Z', false],
    ['date-time', '2026-01-01T00:00:00-24:00', false],
    ['date-time', '1998-12-31T23:59:60Z', true],
    ['date-time', '1998-12-31T15:59:60.123-08:00', true],
    ['date-time', '1998-12-31T22:59:60Z', false],
    ['date-time', '1998-12-31T23:59:61Z', false],
    ['date-time', '2026-02-29T00:00:00Z', false],
    ['date-time', '2026-01-0১T00:00:00Z', false],
    ['time', '23:59:60+00:00', true],
    ['time', '00:59:60+01:00', true],
    ['date', '2000-02-29', true],
    ['date', '1900-02-29', false],
    ['duration', 'P1Y2M3DT4H5M6S', true],
    ['duration', 'P1Y2D', false],
    ['duration', 'PT', false],
    ['uuid', 'urn:uuid:123e4567-e89b-12d3-a456-426614174000', false],
    ['ipv6', 'fe80::1%eth0', false],
    ['ipv4', '010.0.0.1', false],
    ['email', '"some body"@example.com', true],
    ['email', 'a@[IPv6:::1]', true],
    ['uri', 'http://2001:db8::1/', false],
    ['uri', 'http://[2001:db8::1]:80/', true],
    ['regex', '\\p{Letter}', true],
    ['colour', 'mauve', true],
  ])('%s: %s is %s', (format, text, expected) => {
    expect(passes({ format }, JSON.stringify(text))).toBe(expected)
  })

  it('is an annotation where the setting says so', () => {
    expect(stage({ format: 'date-time' }, 'annotate').apply(event('"yesterday"'))).toMatchObject({
      kind: 'pass',
    })
    expect(stage({ format: 'date-time' }, 'assert').apply(event('"yesterday"'))).toMatchObject({
      kind: 'fail',
    })
  })
})
