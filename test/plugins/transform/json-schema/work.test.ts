import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../../../src/contract/index.js'
import { event, stage } from './stage.js'

/** Bytes of the largest body that a source takes by default. */
const MAX_BODY = 1_048_576
/** Each took tens of seconds, or for ever, before there was a bound of work. */
const GENEROUS = 5_000

type Wrap = (value: unknown) => unknown
const nested = (depth: number, leaf: unknown, wrap: Wrap = (c) => ({ c })): unknown => {
  let value = leaf
  for (let level = 0; level < depth; level++) value = wrap(value)
  return value
}
const list = (length: number, item: (index: number) => unknown): unknown[] =>
  Array.from({ length }, (_, index) => item(index))
const object = (length: number, value: (index: number) => unknown): object =>
  Object.fromEntries(list(length, (index) => [`k${index}`, value(index)]) as [string, unknown][])

/** Without a pattern in it. */
function mixed(length: number): string {
  let seed = 1
  return list(length, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed > 1_073_741_824 ? 'a' : 'b'
  }).join('')
}

const AGAIN = { properties: { c: { $ref: '#' } } }
const HOSTILE: [string, object, unknown][] = [
  ['recursion through oneOf', { oneOf: [AGAIN, { ...AGAIN, required: ['x'] }] }, nested(62, 1)],
  [
    'recursion through anyOf',
    {
      anyOf: [
        { ...AGAIN, required: ['x'] },
        { ...AGAIN, required: ['y'] },
      ],
    },
    nested(62, 1),
  ],
  ['recursion through allOf', { allOf: [AGAIN, AGAIN], type: 'object' }, nested(62, {})],
  [
    'recursion through not',
    { not: { properties: { c: { not: { anyOf: [{ $ref: '#' }, { $ref: '#' }] } } } } },
    nested(62, 1),
  ],
  [
    'recursion through if',
    JSON.parse(
      '{"if":{"properties":{"c":{"$ref":"#"}}},"then":{"properties":{"c":{"$ref":"#"}}},"else":{"properties":{"c":{"$ref":"#"}}}}',
    ),
    nested(62, 1),
  ],
  [
    'recursion through dependentSchemas',
    { dependentSchemas: { c: { allOf: [AGAIN, AGAIN] } } },
    nested(62, 1),
  ],
  [
    'recursion through two properties',
    { patternProperties: { c: { $ref: '#' }, '^c': { $ref: '#' } }, type: 'object' },
    nested(62, {}),
  ],
  [
    'recursion in arrays',
    {
      oneOf: [
        { type: 'array', items: { $ref: '#' } },
        { type: 'array', items: { $ref: '#' }, minItems: 3 },
        { type: 'string' },
      ],
    },
    nested(62, [1, 1], (value) => [value]),
  ],
  [
    'recursion that is deep and wide',
    {
      anyOf: [
        { type: 'array', items: { $ref: '#' } },
        { type: 'array', prefixItems: [{ $ref: '#' }] },
        { type: 'string' },
      ],
    },
    nested(
      30,
      list(400_000, () => 1),
      (value) => [value],
    ),
  ],
  [
    'recursion with many members at the end',
    {
      anyOf: [
        { ...AGAIN, required: ['x'] },
        { ...AGAIN, required: ['y'] },
        { ...AGAIN, required: ['z'] },
      ],
      additionalProperties: { type: ['string', 'object'] },
    },
    nested(
      40,
      object(60_000, () => 1),
    ),
  ],
  [
    'recursion with unevaluated members',
    { anyOf: [AGAIN, AGAIN], unevaluatedProperties: false },
    nested(
      62,
      object(60_000, () => 1),
    ),
  ],
  [
    'dynamic recursion',
    {
      $dynamicAnchor: 'n',
      anyOf: [
        { properties: { c: { $dynamicRef: '#n' } }, required: ['x'] },
        { properties: { c: { $dynamicRef: '#n' } }, required: ['y'] },
      ],
    },
    nested(62, 1),
  ],
  [
    'recursion as deep as a body may be',
    { properties: { c: { $ref: '#' } }, type: 'object' },
    nested(990, 1),
  ],
  ['every item wrong', { items: { type: 'string' } }, list(500_000, () => 1)],
  ['every member wrong', { additionalProperties: { type: 'string' } }, object(80_000, () => 1)],
  ['every name wrong', { propertyNames: { pattern: '^x', maxLength: 3 } }, object(80_000, () => 1)],
  ['members missing by the million', { items: { required: list(300, String) } }, list(300_000, () => ({}))],
  [
    'nothing that is contained',
    { contains: { anyOf: [{ type: 'string' }, { enum: list(300, String) }] }, unevaluatedItems: false },
    list(500_000, () => 1),
  ],
  [
    'unique items in each other',
    { $ref: '#/$defs/u', $defs: { u: { uniqueItems: true, items: { $ref: '#/$defs/u' } } } },
    nested(
      60,
      list(150_000, (index) => index),
      (value) => [value],
    ),
  ],
  ['a long enum', { items: { enum: list(5_000, (index) => `x${index}`) } }, list(120_000, () => 'x')],
  [
    'many patterns for many names',
    {
      patternProperties: Object.fromEntries(
        list(50, (index) => [`^x${index}[a-z]+$`, false]) as [string, unknown][],
      ),
    },
    object(60_000, () => 1),
  ],
  ['a pattern with many states', { pattern: '[ab]*a[ab]{200}[^ab]' }, mixed(1_000_000)],
  ['a pattern that repeats', { pattern: 'a[ab]{0,500}a[ab]{0,500}[^ab]' }, mixed(1_000_000)],
  ['a pattern that backtracks elsewhere', { pattern: '^(([a-z])+.)+[A-Z]([a-z])+$' }, 'ab'.repeat(500_000)],
  [
    'formats of long texts',
    {
      allOf: ['email', 'uri', 'iri', 'idn-hostname', 'uri-template', 'duration', 'regex'].map((format) => ({
        format,
      })),
    },
    'a\u3002'.repeat(250_000),
  ],
]

describe('an event that is costly to check', () => {
  it.each(HOSTILE)(
    'is decided at once, or refused as too costly: %s',
    { timeout: 60_000 },
    (_, schema, value) => {
      const transform = stage(schema)
      const sent = event(JSON.stringify(value))
      expect(sent.body.bytes.length).toBeLessThanOrEqual(MAX_BODY)

      const before = process.cpuUsage()
      let code: string | undefined
      try {
        const verdict = transform.apply(sent) as Verdict
        if (verdict.kind === 'fail') {
          code = verdict.error.code
          expect(JSON.stringify(verdict.error.violations).length).toBeLessThan(100_000)
        }
      } catch (error) {
        code = (error as { code?: string }).code
      }

      expect(['HG_SCHEMA_VIOLATION', 'HG_SCHEMA_TOO_COSTLY']).toContain(code)
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(GENEROUS)
    },
  )

  it.each([
    '9'.repeat(1_000_000),
    `1e${'9'.repeat(400_000)}`,
    `0.${'0'.repeat(400_000)}1`,
    `[${'1234567890123456789,'.repeat(50_000)}1]`,
  ])('is decided at once where its numbers are long: %.12s', (text) => {
    const numbers = {
      multipleOf: 0.01,
      maximum: 5,
      minimum: 1,
      type: ['integer', 'array'],
      items: { multipleOf: 7 },
      uniqueItems: true,
    }
    const before = process.cpuUsage()

    expect(stage(numbers).apply(event(text))).toMatchObject({ kind: 'fail' })
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(GENEROUS)
  })

  it('is refused as bad data, with a code of its own', () => {
    const transform = stage({ allOf: [AGAIN, AGAIN], type: 'object' })

    expect(() => transform.apply(event(JSON.stringify(nested(62, {}))))).toThrowError(
      expect.objectContaining({ code: 'HG_SCHEMA_TOO_COSTLY', kind: 'data', status: 422 }),
    )
  })

  it('takes nothing from the next one', () => {
    const transform = stage({ allOf: [AGAIN, AGAIN], type: 'object' })
    expect(() => transform.apply(event(JSON.stringify(nested(62, {}))))).toThrowError()

    expect(transform.apply(event('{"c":{"c":{}}}'))).toMatchObject({ kind: 'pass' })
  })

  it.each<[string, object, unknown]>([
    [
      'numbers',
      { items: { type: 'integer', minimum: 0, maximum: 9, not: { const: 7 } } },
      list(500_000, () => 1),
    ],
    [
      'objects',
      {
        items: {
          type: 'object',
          required: ['a', 'b'],
          properties: { a: { type: 'integer' }, b: { pattern: '^[a-z]+$', maxLength: 9 } },
          additionalProperties: false,
        },
      },
      list(40_000, () => ({ a: 1, b: 'text' })),
    ],
    [
      'objects without what is not evaluated',
      {
        items: {
          allOf: [{ properties: { a: true } }, { properties: { b: true } }],
          unevaluatedProperties: false,
        },
      },
      list(40_000, () => ({ a: 1, b: 'text' })),
    ],
    [
      'a tree',
      {
        type: 'object',
        properties: { name: { type: 'string' }, children: { items: { $ref: '#' } } },
        additionalProperties: false,
      },
      { name: 'root', children: list(500, () => ({ name: 'a', children: list(80, () => ({ name: 'b' })) })) },
    ],
    [
      'addresses',
      { items: { format: 'email', pattern: '^[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,255}$' } },
      list(40_000, () => 'somebody@example.org'),
    ],
    [
      'unique names',
      { uniqueItems: true, items: { type: 'string' } },
      list(70_000, (index) => `name ${index}`),
    ],
  ])('is none where a good event is large: %s', { timeout: 60_000 }, (_, schema, value) => {
    expect(stage(schema).apply(event(JSON.stringify(value)))).toMatchObject({ kind: 'pass' })
  })
})
