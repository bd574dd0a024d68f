import fc from 'fast-check'
import jsonata from 'jsonata'
import { describe, expect, it, test } from 'vitest'
import { parseBody } from '../../../../src/lib/json/body.js'
import { compileJsonata, isTruthy } from '../../../../src/plugins/transform/route/jsonata.js'
import { onlyReads } from '../../../../src/plugins/transform/route/jsonata-syntax.js'
import { chosen, event, eventOf, stage } from './setup.js'

const matches = (expression: string, value: unknown) =>
  compileJsonata(expression).matches(parseBody(Buffer.from(JSON.stringify(value)), 64))

async function failure(expression: string, text: string) {
  const verdict = await stage({ 'eu-west': { jsonata: expression } }).apply(eventOf(text))
  return verdict.kind === 'fail' ? verdict.error : undefined
}

describe('an expression', () => {
  it('sees the whole event', async () => {
    const rules = { eu: { jsonata: "payload.region = 'eu-west' and eventType = 'created'" } }

    expect(await chosen(rules, { eventType: 'created', payload: { region: 'eu-west' } })).toBe('eu')
    expect(await chosen(rules, { eventType: 'deleted', payload: { region: 'eu-west' } })).toBe('otherwise')
    expect(await chosen(rules, {})).toBe('otherwise')
  })

  it('sees an array at the top level as one value', async () => {
    expect(await matches('$count($) = 2', [1, 2])).toBe(true)
  })

  it('is true where $boolean says so, for any result', async () => {
    const reference = jsonata('$boolean(x)')

    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (x) => {
        expect(isTruthy(x)).toBe(await reference.evaluate({ x }))
      }),
    )
    for (const expression of ['$exists', 'function($x){ $x }', 'nothing', '[[[0]]]', '[0, 1]', '/a/']) {
      const expected = await jsonata(`$boolean(${expression})`).evaluate({})
      expect(isTruthy(await jsonata(expression).evaluate({}))).toBe(Boolean(expected))
    }
  })

  it('uses regular expressions in linear time', async () => {
    expect(await matches('$contains(a, /(x+)+$/)', { a: `${'x'.repeat(100_000)}!` })).toBe(false)
  })

  it('takes names of JavaScript for data', async () => {
    expect(await matches('$exists(constructor) or $exists(a.toString)', { a: {} })).toBe(false)
    const body = parseBody(
      Buffer.from('{"__proto__": {"admin": true}, "a": {"__proto__": {"admin": true}}}'),
      64,
    )

    expect(await compileJsonata('$exists(admin) or $exists(a.admin)').matches(body)).toBe(false)
    expect(await compileJsonata('`__proto__`.admin').matches(body)).toBe(true)
    expect(await compileJsonata('$merge([$, a]).admin or {"__proto__": a}.admin').matches(body)).toBe(false)
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
  })

  it.each([
    'items[].a',
    'items[]',
    '$ ~> |items|{"a": 2}|',
    '($clone := function($x){ $x }; $ ~> |items|{"a": 2, "b": 3}, "c"|)',
    '(items#$i[$i = 0]; items@$x.$x.a)',
    '($x := payload; $x())',
    '$append(items, 1)[]',
    'items^(>a)',
    '[items][0]',
    '$reverse(items)',
    '$spread(payload)',
    '$$()',
    '$()',
  ])('leaves the event alone: %s', async (expression) => {
    const original = event({
      items: [{ a: 3, c: 1 }, { a: 1 }],
      payload: { _jsonata_lambda: true, body: {} },
    })
    const before = structuredClone(original.body.value)

    await stage({ a: { jsonata: expression } }).apply(original)
    expect(original.body.value).toStrictEqual(before)
  })

  it.each([
    "payload.region = 'eu-west'",
    'items[a > 1].c',
    '$count(items) > 1 and (items.a)[0] in [1, 2]',
    "$contains($lowercase(payload.name), /x/i) ? 'a' : null",
    '{"a": items.a, "b": [1..3]}',
    '$exists(**.c) or *.a',
  ])('is not given a copy where it cannot but read: %s', async (expression) => {
    expect(onlyReads(jsonata(expression).ast())).toBe(true)
    const value = { items: [{ a: 3, c: 1 }, { a: 1 }], payload: { name: 'X', region: 'eu' } }
    const frozen = deepFreeze(structuredClone(value))
    const body = { ...parseBody(Buffer.from(JSON.stringify(value)), 64), value: frozen }

    await expect(compileJsonata(expression).matches(body)).resolves.toBe(await matches(expression, value))
  })
})

const MORE_WORK = 'cannot be decided'

describe('an expression that fails on an event', () => {
  it('is an error of the event, with the name of the rule', async () => {
    expect(await failure('payload.n + 1', '{"payload":{"n":"x"}}')).toMatchObject({
      code: 'HG_ROUTE_EXPRESSION',
      kind: 'data',
      message:
        'The expression of the rule "eu-west" failed: The left side of the "+" operator must evaluate to a number (T2001) at position 11.',
    })
  })

  it('fails behind other expressions too', async () => {
    const verdict = await stage({ a: { jsonata: 'n = 1' }, b: { jsonata: 's + 1' } }).apply(event({ s: 'x' }))

    expect(verdict).toMatchObject({ kind: 'fail', error: { message: expect.stringContaining('"b"') } })
  })

  it.each([
    '$number(s)',
    's > 1',
    's + 1',
    'items^(a)',
    '{s: 1, "hunter2": 2}',
    '($f := s; $f())',
    '$sum(s)',
    '$substring(s, s)',
  ])('keeps the values of the event to itself: %s', async (expression) => {
    const error = await failure(expression, '{"s": "hunter2", "items": [{"a": 1}, {"a": "hunter2"}]}')

    expect(error?.code).toBe('HG_ROUTE_EXPRESSION')
    expect(JSON.stringify([error?.message, error?.cause])).not.toContain('hunter2')
  })

  it('says what the expression itself says', async () => {
    expect(await failure("$error('no region')", '{}')).toMatchObject({
      message: 'The expression of the rule "eu-west" failed: no region (D3137) at position 7.',
    })
  })

  it.each([
    ['recursion without end', '($f := function($n){ 1 + $f($n) }; $f(0))', 'it recurses too deeply'],
    ['a loop without end', '($f := function($n){ $f($n) }; $f(0))', MORE_WORK],
    ['a sequence without end', '[1..1000000]', 'it made too long a sequence'],
    ['all matches of a regex', '$count($match(a, /a(.*b)?/)) > 0', MORE_WORK],
    ['a comparison of everything with everything', 'few[$count($$.few[$ > 5]) > 0]', MORE_WORK],
    ['sorting', '$count(few^($count($$.few))) > 0', MORE_WORK],
  ])('is stopped: %s', async (_, expression, reason) => {
    const few = Array.from({ length: 9_000 }, (__, index) => index)

    expect(await failure(expression, JSON.stringify({ a: 'a'.repeat(200_000), few }))).toMatchObject({
      message: expect.stringContaining(reason),
    })
  })
})

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}

const body = parseBody(
  Buffer.from('{"payload":{"region":"us","b c":1,"and":2},"items":[{"n":1},{"n":2}],"x":7}'),
  64,
)

test.each<[string, object]>([
  ["payload.region = 'eu'", { 'payload.region': 'us' }],
  ['payload.`b c` > 0 and payload.`and` = 2', { 'payload.`b c`': 1, 'payload.`and`': 2 }],
  ['$sum(items.n) > x', { 'items.n': [1, 2], x: 7 }],
  ['items[n = 1].n = 1', { items: [{ n: 1 }, { n: 2 }] }],
  ['$exists(none) ? none.at.all : true', { none: undefined, 'none.at.all': undefined }],
  ['$count($filter(items, function($i) { $i.n > hidden })) = 1', { items: [{ n: 1 }, { n: 2 }] }],
  ['true', {}],
])('%s looks at these places', async (text, places) => {
  const looked = await compileJsonata(text).look(body)
  const found = Object.fromEntries(looked.map(({ at, value }) => [at, value]))
  // JSONata's arrays have members of its own.
  expect(JSON.stringify(found)).toBe(JSON.stringify(places))
})
