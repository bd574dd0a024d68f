import { describe, expect, it } from 'vitest'
import type { Violation } from '../../../../src/contract/errors.js'
import type { Event, Transform, Verdict } from '../../../../src/contract/index.js'
import { parseBody } from '../../../../src/lib/json/body.js'
import { jsonSchema } from '../../../../src/plugins/transform/json-schema/index.js'
import { fillDefaults, temporaryDirectory, testContext } from '../../../helpers/context.js'

const event = (text: string): Event => ({ id: 'e1', body: parseBody(Buffer.from(text), 64), receivedAt: 0 })

function stage(schema: object): Transform {
  const root = temporaryDirectory({ 'event.json': JSON.stringify(schema) })
  return jsonSchema.create(fillDefaults(jsonSchema, { schema: './event.json' }), testContext({ root }))
}

const verdict = (schema: object, value: unknown): Verdict =>
  stage(schema).apply(event(JSON.stringify(value))) as Verdict

function violationsOf(schema: object, value: unknown): readonly Violation[] {
  const said = verdict(schema, value)
  return said.kind === 'fail' ? said.error.violations : []
}

describe('json-schema', () => {
  it('passes on the very event that fits', () => {
    const fitting = event('{"a":1}')

    expect(stage({ required: ['a'] }).apply(fitting)).toEqual({ kind: 'pass', event: fitting })
  })

  it('reports every violation with its place and what was expected', () => {
    const schema = {
      type: 'object',
      required: ['id'],
      properties: {
        payload: {
          required: ['region'],
          properties: {
            size: { type: ['integer', 'null'] },
            tier: { enum: ['a', 'b'] },
            kind: { const: 'order' },
          },
          additionalProperties: false,
        },
        tags: { items: { type: 'string', minLength: 2 }, uniqueItems: true },
      },
      dependentRequired: { tags: ['owner'] },
    }
    const value = { payload: { size: 'x', tier: 'c', kind: 'k', 'ex/tra': 1 }, tags: ['a', 'bb', 'bb'] }

    expect(violationsOf(schema, value)).toEqual(
      expect.arrayContaining([
        { pointer: '/id', message: 'is required' },
        { pointer: '/payload/region', message: 'is required' },
        { pointer: '/payload/ex~1tra', message: 'is not allowed' },
        { pointer: '/payload/size', message: 'must be integer or null' },
        { pointer: '/payload/tier', message: 'must be one of "a", "b"' },
        { pointer: '/payload/kind', message: 'must be "order"' },
        { pointer: '/tags/0', message: 'must not have fewer than 2 characters' },
        { pointer: '/tags', message: 'must not have equal items (1 and 2 are)' },
        { pointer: '/owner', message: 'is required where "tags" is present' },
      ]),
    )
    expect(violationsOf(schema, value)).toHaveLength(9)
  })

  it('names the first violation and the number of the others in one sentence', () => {
    const said = verdict({ required: ['a', 'b', 'c'] }, {})

    expect(said).toMatchObject({
      kind: 'fail',
      error: {
        code: 'HG_SCHEMA_VIOLATION',
        message: 'The event does not match the schema: /a is required (and 2 more violations).',
      },
    })
  })

  it('says of a condition what is violated, and not that it is', () => {
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    const schema = { if: { required: ['a'] }, then: { required: ['b'] } }

    expect(violationsOf(schema, { a: 1 })).toEqual([{ pointer: '/b', message: 'is required' }])
  })

  it('reports names of members and members that no subschema knows', () => {
    expect(violationsOf({ propertyNames: { maxLength: 2 } }, { abc: 1 })).toContainEqual({
      pointer: '/abc',
      message: 'has a name that is not allowed',
    })
    expect(violationsOf({ properties: { a: true }, unevaluatedProperties: false }, { b: 1 })).toEqual([
      { pointer: '/b', message: 'is not allowed' },
    ])
  })

  it('never repeats a value of the event', () => {
    const schema = {
      additionalProperties: {
        anyOf: [{ type: 'number' }, { pattern: '^x$' }, { format: 'email' }, { enum: [1] }, { const: 2 }],
      },
    }

    expect(JSON.stringify(verdict(schema, { a: 'hunter2', b: ['hunter2'] }))).not.toContain('hunter2')
  })

  it('lists at most 100 violations and says how many more there are', () => {
    const found = violationsOf({ items: { type: 'string' } }, Array(250).fill(1))

    expect(found).toHaveLength(100)
    expect(found.at(-1)).toEqual({ pointer: '', message: 'has 151 more violations' })
  })

  it('keeps a response small where the names of members are large', () => {
    const value = { ['k'.repeat(100_000)]: Array(200).fill(1) }
    const found = violationsOf({ additionalProperties: { items: { type: 'string' } } }, value)

    expect(JSON.stringify(found).length).toBeLessThan(100_000)
  })

  it('takes inherited names and __proto__ for data', () => {
    expect(violationsOf({ required: ['constructor', 'toString'] }, {})).toHaveLength(2)
    const closed = stage({ properties: { a: true }, additionalProperties: false })

    expect(closed.apply(event('{"__proto__":{"a":1}}'))).toMatchObject({
      error: { violations: [{ pointer: '/__proto__', message: 'is not allowed' }] },
    })
  })

  it.each([
    ['a number that no double holds', '{"n":1e400}', true],
    ['a decimal that division makes inexact', '{"n":19.99}', true],
    ['what is no multiple', '{"n":19.995}', false],
  ])('decides multipleOf 0.01 for %s', (_, text, fits) => {
    const schema = { properties: { n: { type: 'number' } } }
    const cents = { properties: { n: { multipleOf: 0.01 } } }

    expect(stage(text.includes('e400') ? schema : cents).apply(event(text))).toMatchObject({
      kind: fits ? 'pass' : 'fail',
    })
  })

  it('reads draft 07 and 2020-12 by $schema, and 2020-12 where there is none', () => {
    const tuple = { prefixItems: [{ type: 'string' }] }
    const draft07 = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] }
    const draft2020 = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...tuple }

    for (const schema of [tuple, draft07, draft2020]) {
      expect(violationsOf(schema, [1])).toEqual([{ pointer: '/0', message: 'must be string' }])
    }
  })

  it.each([
    ['date-time', '2026-02-29T10:00:00Z', '2028-02-29T10:00:00Z'],
    ['uuid', '123', '123e4567-e89b-12d3-a456-426614174000'],
    ['email', 'nobody', 'some@body.example'],
  ])('checks the format %s', (format, wrong, right) => {
    expect(verdict({ format }, wrong)).toMatchObject({ kind: 'fail' })
    expect(verdict({ format }, right)).toMatchObject({ kind: 'pass' })
  })

  it('tells patterns apart and reads code points', () => {
    const schema = {
      properties: { a: { pattern: '^a+$' }, b: { pattern: '^.$' } },
      patternProperties: { '^x/': { type: 'null' } },
    }

    expect(verdict(schema, { a: 'aa', b: '\u{1F600}', 'x/1': null })).toMatchObject({ kind: 'pass' })
    expect(violationsOf(schema, { a: 'b', b: 'bb', 'x/1': 1 })).toHaveLength(3)
  })

  // With a backtracking engine, or by comparing every item with every other, each of these takes hours.
  it.each([
    ['a pattern that backtracks', { pattern: '^(a+)+$' }, `${'a'.repeat(200_000)}!`],
    [
      'unique items',
      { uniqueItems: true },
      Array.from({ length: 100_000 }, (_, index) => [index]).concat([[7]]),
    ],
  ])('decides a hostile text for %s', (_, schema, value) => {
    expect(verdict(schema, value)).toMatchObject({ kind: 'fail' })
  })
})

describe('the schema for CXone data actions', () => {
  const shipped = () =>
    jsonSchema.create(
      fillDefaults(jsonSchema, { schema: './schemas/cxone-data-action.schema.json' }),
      testContext(),
    )
  const fitting = {
    dataActionId: 'da-1',
    eventType: 'created',
    timestamp: '2026-01-01T00:00:00Z',
    payload: {},
  }

  it('is a schema that can be used', () => {
    const config = fillDefaults(jsonSchema, { schema: './schemas/cxone-data-action.schema.json' })

    expect(jsonSchema.check?.(config, { ...testContext(), exposed: false, deadLetters: false })).toEqual([])
  })

  it('accepts what upstream adds', () => {
    const grown = event(JSON.stringify({ ...fitting, tenant: { id: 1 }, payload: { new: true } }))

    expect(shipped().apply(grown)).toMatchObject({ kind: 'pass' })
  })

  it.each([
    ['/dataActionId', { ...fitting, dataActionId: '' }],
    ['/eventType', { ...fitting, eventType: 7 }],
    ['/timestamp', { ...fitting, timestamp: 'yesterday' }],
    ['/payload', { ...fitting, payload: [] }],
    ['/payload', { ...fitting, payload: undefined }],
  ])('refuses an event with a wrong %s', (pointer, value) => {
    expect(shipped().apply(event(JSON.stringify(value)))).toMatchObject({
      error: { violations: [{ pointer }] },
    })
  })
})

describe('a large schema', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

  it('is compiled with turns of the event loop in between', async () => {
    const $defs = Object.fromEntries(
      numbers(300).map((index) => [
        `d${index}`,
        { properties: { next: { $ref: `#/$defs/d${index + 1}` }, name: { type: 'string' } } },
      ]),
    )
    const transform = stage({ $ref: '#/$defs/d0', $defs: { ...$defs, d300: { type: 'integer' } } })
    let turns = 0
    let isStarting = true
    const turn = () => {
      turns++
      if (isStarting) setImmediate(turn)
    }
    setImmediate(turn)
    await transform.start?.()
    isStarting = false

    expect(turns).toBeGreaterThanOrEqual(300)
    const nested = (last: unknown) => numbers(300).reduce<unknown>((next) => ({ next, name: 'a' }), last)
    expect(transform.apply(event500(nested(1)))).toMatchObject({ kind: 'pass' })
    expect(transform.apply(event500(nested('x')))).toMatchObject({ kind: 'fail' })
  })

  it.each([
    ['many members', { properties: Object.fromEntries(numbers(20_000).map((n) => [`p${n}`, { const: n }])) }],
    ['many alternatives', { anyOf: numbers(20_000).map((n) => ({ properties: { p19999: { const: n } } })) }],
    [
      'members of members',
      {
        properties: Object.fromEntries(
          numbers(100).map((n) => [`p${n}`, { properties: { a: { const: n }, b: { type: 'string' } } }]),
        ),
        additionalProperties: { type: 'integer', minimum: 19_999, maximum: 19_999 },
      },
    ],
  ])('with %s is taken', async (_, schema) => {
    const transform = stage(schema)
    await transform.start?.()

    expect(transform.apply(event('{"p19999":19999}'))).toMatchObject({ kind: 'pass' })
    expect(transform.apply(event('{"p19999":-1}'))).toMatchObject({ kind: 'fail' })
  })
})

const event500 = (value: unknown): Event => ({
  id: 'e1',
  body: parseBody(Buffer.from(JSON.stringify(value)), 500),
  receivedAt: 0,
})
