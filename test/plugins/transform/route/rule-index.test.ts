import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event, RequestParts, Verdict } from '../../../../src/contract/index.js'
import { pointer } from '../../../../src/lib/json/pointer.js'
import { compileRegex } from '../../../../src/lib/regex.js'
import { atOnce } from '../../../../src/lib/slices.js'
import {
  compileCondition,
  locatedText,
  subjectOf,
} from '../../../../src/plugins/transform/route/condition.js'
import { evaluationError } from '../../../../src/plugins/transform/route/jsonata-errors.js'
import { Candidates } from '../../../../src/plugins/transform/route/route.js'
import { indexRules } from '../../../../src/plugins/transform/route/rule-index.js'
import { event, nameIn, type Rules, stage } from './setup.js'

type When = Rules[string]

const payload = pointer('/payload')

/** The rules that the index leaves to be tried. */
function candidates(whens: readonly When[], value: unknown, request?: RequestParts): readonly number[] {
  const all = new Candidates(
    atOnce(indexRules(whens.map(compileCondition))),
    subjectOf(event(value, request), payload),
  )
  const found: number[] = []
  for (let next = all.next(); next !== undefined; next = all.next()) found.push(next)
  return found
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('of many rules, only those are tried', () => {
  it.each<[string, (n: number) => When]>([
    ['compare one place with a literal', (n) => ({ jsonata: `payload.kind = 'kind-${n}'` })],
    ['compare it the other way round', (n) => ({ jsonata: `'kind-${n}' = payload.kind` })],
    ['compare it with several', (n) => ({ jsonata: `payload.kind in ['kind-${n}', 'other-${n}']` })],
    ['compare it twice', (n) => ({ jsonata: `payload.kind = 'kind-${n}' or payload.kind = 'other-${n}'` })],
    ['compare another place, too', (n) => ({ jsonata: `type = 'order' and (payload.kind = 'kind-${n}')` })],
    ['do more afterwards', (n) => ({ jsonata: `payload.kind = 'kind-${n}' and $number(x) > ${n}` })],
    ['have a regex, too', (n) => ({ regex: '.', jsonata: `payload.kind = 'kind-${n}'` })],
    ['want one text at a place', (n) => ({ regex: `^kind-${n}$`, at: '/payload/kind' })],
    ['want one of some texts', (n) => ({ regex: `^(kind|other)-${n}$`, at: '/payload/kind' })],
    ['want a word at a place', (n) => ({ regex: `^[a-z]+-0*${n}$`, at: '/payload/kind' })],
    ['want a word in the payload', (n) => ({ regex: `"kind"\\s*:\\s*"kind-${n}"` })],
    ['want one of some words', (n) => ({ regex: `"kind":"(kind|other)-${n}"` })],
    ['want it in any case', (n) => ({ regex: `"KIND"\\s*:\\s*"KIND-${n}"`, flags: 'i' })],
  ])('that %s, and may match', (_, when) => {
    const whens = numbers(100).map((n) => when(n))

    expect(candidates(whens, { type: 'order', payload: { kind: 'kind-77' } })).toContain(77)
    expect(candidates(whens, { type: 'order', payload: { kind: 'kind-77' } }).length).toBeLessThan(4)
    expect(candidates(whens, { type: 'order', payload: { kind: '?' } })).toEqual([])
    expect(candidates(whens, { type: 'order' })).toEqual([])
  })

  it.each<[string, (n: number) => When]>([
    ['want one text of a header', (n) => ({ regex: `^kind-${n}$`, at: 'header:X-Kind' })],
    [
      'name the header in other letters',
      (n) => ({ regex: `^kind-${n}$`, at: `header:${n % 2 ? 'x' : 'X'}-KIND` }),
    ],
    ['want a word of a header', (n) => ({ regex: `^[a-z]+-0*${n}$`, at: 'header:X-Kind' })],
    ['compare a header', (n) => ({ jsonata: `$headers."X-Kind" = 'kind-${n}'` })],
    ['compare it, and more', (n) => ({ jsonata: `type = 'order' and $headers.\`x-kind\` = 'kind-${n}'` })],
    ['want one text of the query', (n) => ({ regex: `^kind-${n}$`, at: 'query:kind' })],
    ['compare a parameter of the query', (n) => ({ jsonata: `$query.kind = 'kind-${n}'` })],
    ['compare the path', (n) => ({ jsonata: `$path = 'kind-${n}'` })],
  ])('that %s, and may match', (_, when) => {
    const whens = numbers(100).map((n) => when(n))
    const request = (kind: string) => ({ headers: { 'x-kind': kind }, query: { kind }, path: kind })

    expect(candidates(whens, { type: 'order' }, request('kind-77'))).toContain(77)
    expect(candidates(whens, { type: 'order' }, request('kind-77')).length).toBeLessThan(4)
    expect(candidates(whens, { type: 'order' }, request('?'))).toEqual([])
    expect(candidates(whens, { type: 'order' })).toEqual([])
  })

  it('in their order, among those that have to be tried', () => {
    const whens = [
      { regex: '[a-z]' },
      ...numbers(9).map((n) => ({ jsonata: `kind = ${n % 3}` })),
      { jsonata: '$exists(kind)' },
      ...numbers(9).map((n) => ({ regex: `^${n % 3}$`, at: '/kind' })),
    ]

    expect(candidates(whens, { kind: 1 })).toEqual([0, 2, 5, 8, 10, 12, 15, 18])
  })

  it.each([
    ['there is an array', { payload: { kind: ['a'] } }],
    ['there is an array on the way', { payload: [{ kind: 'a' }] }],
    ['the event is an array', [{ payload: { kind: 'a' } }]],
    ['what is looked at before is an array', { type: [], payload: { kind: 'a' } }],
  ])('or all of them, where %s', (_, value) => {
    const whens = numbers(9).map((n) => ({ jsonata: `type = 'x' and payload.kind = '${n}'` }))

    expect(candidates(whens, value)).toEqual(numbers(9))
  })

  it.each<[When, unknown]>([
    [{ regex: 'É', flags: 'i' }, { payload: 'é' }],
    [{ regex: '(?i)aÉ', at: '/kind' }, { kind: 'Aé' }],
    [{ regex: '(?i)ks', at: '/kind' }, { kind: '\u212a\u017f' }],
    [{ regex: 'I' }, { payload: 'İI' }],
    [{ regex: 'x{0,2}y', at: '/kind' }, { kind: 'y' }],
    [{ regex: '😀*z', at: '/kind' }, { kind: 'z' }],
    [
      { regex: 'a-word-of-more-than-sixteen-characters' },
      { payload: 'a-word-of-more-than-sixteen-characters' },
    ],
    [{ jsonata: 'kind = 0' }, { kind: -0 }],
    [{ jsonata: "kind in ['a', 'b'][0]" }, { kind: 'a' }],
    [{ jsonata: "(x = 1 and kind = 'a') or (type = 1 and kind = 'b')" }, { kind: 'c', type: [1] }],
  ])('and %j is among them for %j', (when, value) => {
    const others = [
      ...numbers(20).map((n) => ({ jsonata: `kind = '${n}'` })),
      ...numbers(20).map((n) => ({ regex: `\\s${n}`, at: '/kind' })),
      ...numbers(20).map((n) => ({ regex: `\\s${n}` })),
    ]

    expect(candidates([...others, when], value)).toContain(60)
  })

  it('and nothing is made of an event before a rule asks for it', () => {
    let reads = 0
    const { body } = event({ type: 'x' })
    Object.defineProperty(body.value, 'payload', { get: () => reads++ })
    const whens = [{ jsonata: "type = 'x'" }, ...numbers(20).map((n) => ({ regex: `"kind-${n}"` }))]
    const steps = atOnce(indexRules(whens.map(compileCondition)))
    const all = new Candidates(steps, subjectOf({ body }, payload))

    expect([all.next(), reads]).toEqual([0, 0])
    expect([all.next(), reads]).toEqual([undefined, 1])
  })
})

describe('an error of an expression', () => {
  const message = (whens: Rules, value: unknown) =>
    Promise.resolve(stage(whens).apply(event(value))).then(said)
  const equal = (n: number) => ({ jsonata: `payload.kind = ${n}` })

  it('is one where the rule is reached, and only there', async () => {
    const whens = { a: equal(1), b: equal(2), c: { jsonata: '$number(x) = 1' }, d: equal(3), e: equal(4) }

    expect(await message(whens, { x: 'y', payload: { kind: 2 } })).toBe('b')
    expect(await message(whens, { x: 'y', payload: { kind: 4 } })).toContain('The expression of the rule "c"')
  })

  it('is one although what stands behind it is not so', async () => {
    const bad = { jsonata: '$number(x) = 1 and payload.kind = 5' }

    expect(
      await message({ a: equal(1), b: equal(2), c: equal(3), d: bad }, { x: 'y', payload: { kind: 4 } }),
    ).toContain('The expression of the rule "d"')
  })

  it.each([
    ['too long an array', "items.kind = 'a' and payload.kind = 4", 'it made too long a sequence'],
    [
      'too long a list',
      `payload.kind in [${numbers(10_001).map((n) => n + 10)}]`,
      'it made too long a sequence',
    ],
    ['too deep an expression', `${'('.repeat(600)}payload.kind = 9${')'.repeat(600)}`, 'it recurses too'],
  ])('is one where the expression itself asks too much: %s', async (_, jsonata, reason) => {
    const items = numbers(10_001).map(() => ({ kind: 'b' }))
    const whens = { a: equal(1), b: equal(2), c: equal(3), d: { jsonata } }

    expect(await message(whens, { items, payload: { kind: 5 } })).toContain(reason)
  })
})

const said = (verdict: Verdict) => (verdict.kind === 'fail' ? verdict.error.message : nameIn(verdict))

/** The result of each rule for an event, tried alone, its expression evaluated; undefined where it says nothing. */
function plainly(whens: readonly When[]): (event: Event) => Promise<(string | undefined)[]> {
  const conditions = whens.map(compileCondition)
  return ({ body, request = {} }) =>
    Promise.all(
      conditions.map(async ({ regex, at, expression }, index) => {
        const payloadText = JSON.stringify(payload.read(body.value)) ?? ''
        const text = at === undefined ? payloadText : locatedText({ body, request }, at)
        if (regex !== undefined && (text === undefined || !regex.test(text))) return undefined
        try {
          return expression === undefined || (await expression.matches(body, undefined, request))
            ? `r${index}`
            : undefined
        } catch (error) {
          return evaluationError(`r${index}`, error).message
        }
      }),
    )
}

const place = fc.constantFrom(
  ...['kind', 'payload.kind', 'payload.region', 'payload', 'payload.`deep`.kind'],
  ...['$headers."X-Kind"', '$headers.`x-kind`', '$headers.region', '$query.kind', '$path', '$method'],
)
const literal = fc.constantFrom("'a'", "'b'", "'ab'", "'A'", "''", '1', '-1', '"1"', 'true', 'null')
const comparison = fc.oneof(
  fc.tuple(place, literal).map(([at, value]) => `${at} = ${value}`),
  fc.tuple(literal, place).map(([value, at]) => `${value} = ${at}`),
  fc.tuple(place, literal).map(([at, value]) => `${at} != ${value}`),
  fc.tuple(place, fc.array(literal, { maxLength: 3 })).map(([at, values]) => `${at} in [${values}]`),
)
const otherExpression = fc
  .tuple(
    place,
    fc.constantFrom(
      '$number(_) > 0',
      '_ + 1 = 2',
      '$uppercase(_) = "A"',
      '$exists(_)',
      '_[0] = "a"',
      '(_ = "a")[0]',
      '(_ = "a"){"x": 1}',
      '_ in ["a", "b"][0]',
      '_[] = "a"',
      '_',
      'true',
      'false',
    ),
  )
  .map(([at, text]) => text.replace('_', at))
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small' },
    { arbitrary: comparison, weight: 6 },
    { arbitrary: otherExpression, weight: 1 },
    {
      arbitrary: fc
        .tuple(tie('expression'), fc.constantFrom('and', 'or'), tie('expression'))
        .map(([a, operator, b]) => `${a} ${operator} ${b}`),
      weight: 3,
    },
    { arbitrary: tie('expression').map((inner) => `(${inner})`), weight: 1 },
  ),
}))

const piece = fc.constantFrom(
  ...[
    'a',
    'b',
    'A',
    'ab',
    'é',
    'É',
    'k',
    'K',
    's',
    '"',
    '"kind":"a"',
    '\\.',
    '\\"',
    '\\|',
    '\\(',
    '}',
    ']',
    '-',
  ],
  ...[
    '.*',
    '\\s*',
    '\\d+',
    '[a-z]',
    '[]a]',
    '[^]]',
    '[[:alpha:]]',
    '\\x61',
    '\\Qa\\E',
    '\\pL',
    '\\b',
    '^',
    '$',
  ],
  ...[
    '(a|b)',
    '(?:a|b)?',
    '(?i)',
    '(?i:a)',
    '(?P<n>a)',
    '(?-i)',
    '|',
    'a?',
    'b*',
    'a+',
    'a{2}',
    'b{0,1}',
    'a{,1}',
    '{',
  ],
)
const regex = fc
  .array(piece, { minLength: 1, maxLength: 4 })
  .map((pieces) => pieces.join(''))
  .filter((pattern) => {
    try {
      return compileRegex(pattern) !== undefined
    } catch {
      return false
    }
  })
const plainWords = fc
  .tuple(
    fc.constantFrom('^(', '('),
    fc.array(fc.constantFrom('a', 'b', 'ab', 'aa', 'A', '1'), { minLength: 1, maxLength: 2 }),
    fc.constantFrom(')$', ')'),
  )
  .map(([open, words, close]) => `${open}${words.join('|')}${close}`)
const regexAt = (at: Pick<When, 'at'>) =>
  fc
    .record(
      { regex: fc.oneof(regex, plainWords), flags: fc.constantFrom('i', 'm', 's') },
      { requiredKeys: ['regex'] },
    )
    .map((found): When => ({ ...found, ...at }))

const when: fc.Arbitrary<When> = fc.oneof(
  expression.map((jsonata) => ({ jsonata })),
  regexAt({}),
  regexAt({ at: '/kind' }),
  regexAt({ at: '/payload/kind' }),
  regexAt({ at: 'header:X-Kind' }),
  regexAt({ at: 'header:x-kind' }),
  regexAt({ at: 'query:kind' }),
  fc.tuple(regexAt({}), expression).map(([found, jsonata]) => ({ ...found, jsonata })),
)
const rules = fc.oneof(
  fc.array(when, { maxLength: 40 }),
  fc.array(regexAt({}), { minLength: 20, maxLength: 60 }),
  fc.array(regexAt({ at: '/kind' }), { minLength: 20, maxLength: 60 }),
  fc.array(regexAt({ at: 'header:X-Kind' }), { minLength: 20, maxLength: 60 }),
)

const scalar = fc.constantFrom<unknown>(
  ...[
    'a',
    'b',
    'ab',
    'A',
    'aa',
    '',
    '1',
    'é',
    'É',
    '\u212a',
    '\u017f',
    'a\nb',
    'a.b"',
    'a|b',
    '(a',
    'x{,1}',
    'a]}-',
  ],
  ...[1, -1, 0, true, false, null],
)
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    { arbitrary: scalar, weight: 5 },
    { arbitrary: fc.array(tie('value'), { maxLength: 3 }), weight: 1 },
    {
      arbitrary: fc.record(
        { kind: tie('value'), region: tie('value'), deep: tie('value'), _jsonata_lambda: fc.constant(true) },
        { requiredKeys: [] },
      ),
      weight: 2,
    },
  ),
}))
const text = scalar.map(String)
const requests = fc.option(
  fc.record<RequestParts>(
    {
      headers: fc.record({ 'x-kind': text, region: text }, { requiredKeys: [] }),
      query: fc.record({ kind: text }, { requiredKeys: [] }),
      path: text,
      method: text,
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
)
const events = fc.oneof(
  { arbitrary: fc.record({ kind: value, payload: value }, { requiredKeys: [] }), weight: 9 },
  { arbitrary: value, weight: 1 },
)

const received = fc.array(fc.tuple(events, requests), { minLength: 1, maxLength: 5 })

describe('an index of rules', () => {
  it('decides as if every rule had been tried in its turn, errors included', {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(rules, received, async (whens, values) => {
        const plain = plainly(whens)
        const indexed = stage(Object.fromEntries(whens.map((each, index) => [`r${index}`, each])))
        for (const [each, request] of values) {
          const all = await plain(event(each, request))
          const first = all.find((text) => text !== undefined)
          expect(said(await indexed.apply(event(each, request)))).toBe(first ?? 'otherwise')
          const meant = all.flatMap((text, index) => (text === undefined ? [] : [index]))
          const found = candidates(whens, each, request)
          expect(found).toEqual([...new Set(found)].sort((a, b) => a - b))
          expect(meant.filter((index) => !found.includes(index))).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })
})
