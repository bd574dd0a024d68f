import { RE2JS } from 're2js'
import { describe, expect, it, vi } from 'vitest'
import { route } from '../../../../src/plugins/transform/route/index.js'
import { fillDefaults, testContext } from '../../../helpers/context.js'
import { chosen, config, event, eventOf, nameIn, problems, stage } from './setup.js'

describe('route', () => {
  it('lets the first rule that matches decide', () => {
    const rules = { a: { regex: 'x' }, b: { regex: 'xy' }, c: { regex: 'z' } }

    expect(stage(rules).apply(event({ payload: 'xyz' }))).toMatchObject({ event: { route: { name: 'a' } } })
    expect(stage(rules).apply(event({ payload: 'z' }))).toMatchObject({ event: { route: { name: 'c' } } })
  })

  it('passes on a copy of the event that knows its target', () => {
    const original = event({ payload: 'x' })
    const settings = fillDefaults(route, {
      rules: [{ name: 'a', when: { regex: 'x' }, to: { topic: 't', partition: 3 } }],
      otherwise: 'drop',
    })

    expect(route.create(settings, testContext()).apply(original)).toEqual({
      kind: 'pass',
      event: { ...original, route: { name: 'a', target: { topic: 't', partition: 3 } } },
    })
    expect(original).not.toHaveProperty('route')
  })

  it('takes what no rule matches to `otherwise`', () => {
    expect(stage({ a: { regex: 'x' } }).apply(event({ payload: 'y' }))).toMatchObject({
      event: { route: { name: 'otherwise', target: { topic: 'other' } } },
    })
  })

  it.each([
    ['drop', { kind: 'drop' }],
    ['reject', { kind: 'reject', error: { code: 'HG_ROUTE_NO_MATCH', status: 422 } }],
    ['dead-letter', { kind: 'dead-letter', error: { code: 'HG_ROUTE_NO_MATCH' } }],
  ])('can %s what no rule matches', (otherwise, verdict) => {
    expect(stage({}, { otherwise }).apply(event({}))).toMatchObject(verdict)
  })

  it.each([
    ['drop', { kind: 'drop' }],
    [
      'reject',
      { kind: 'reject', error: { code: 'HG_ROUTE_REFUSED', message: 'The rule "a" refuses this event.' } },
    ],
    ['dead-letter', { kind: 'dead-letter', error: { code: 'HG_ROUTE_REFUSED' } }],
  ])('can %s by a rule', (to, verdict) => {
    const rules = [{ name: 'a', when: { regex: 'x' }, to }]

    expect(stage({}, { rules }).apply(event({ payload: 'x' }))).toMatchObject(verdict)
  })

  it('counts what each rule decides, from 0 on', async () => {
    const context = testContext()
    const transform = stage({ a: { regex: 'x' }, b: { jsonata: 'n = 1' } }, { otherwise: 'drop' }, context)
    const count = (rule: string) => context.values.get(`route_matches_total{rule="${rule}"}`)

    expect(['a', 'b', 'otherwise'].map(count)).toEqual([0, 0, 0])
    for (const value of [{ payload: 'x' }, { n: 1 }, { n: 2 }, { n: 3 }]) await transform.apply(event(value))
    expect(['a', 'b', 'otherwise'].map(count)).toEqual([1, 1, 2])
  })

  it('names every target it can choose, with its place', () => {
    const to = { topic: 't', partition: 0 }
    const rules = [
      { name: 'a', when: { regex: 'x' }, to: 'drop' },
      { name: 'b', when: { regex: 'x' }, to },
    ]

    expect(route.targets?.(config({}, { rules }))).toEqual([
      { at: '/rules/1/to', target: to },
      { at: '/otherwise', target: { topic: 'other' } },
    ])
    expect(route.targets?.(config({}, { otherwise: 'drop' }))).toEqual([])
  })
})

describe('a regex', () => {
  it('is looked for anywhere in the payload as compact JSON', async () => {
    const rules = { high: { regex: '"priority"\\s*:\\s*"high"' } }

    expect(await chosen(rules, { payload: { deep: [{ priority: 'high' }] } })).toBe('high')
    expect(await chosen(rules, { priority: 'high', payload: {} })).toBe('otherwise')
    expect(await stage(rules).apply(eventOf('{ "payload" : { "priority" :\n "high" } }'))).toMatchObject({
      event: { route: { name: 'high' } },
    })
    expect(await chosen({ a: { regex: '^{"a":1,"b":\\[2]}$' } }, { payload: { a: 1, b: [2] } })).toBe('a')
    expect(await chosen({ a: { regex: '^"text"$' } }, { payload: 'text' })).toBe('a')
  })

  it('sees empty text where there is no payload', async () => {
    expect(await chosen({ a: { regex: '^$' } }, { other: 1 })).toBe('a')
  })

  it('sees another part of the event where `payload` says so', async () => {
    const rules = { a: { regex: 'x' } }

    expect(await chosen(rules, { data: 'x' }, { payload: '/data' })).toBe('a')
    expect(await chosen(rules, { data: 'x' }, { payload: '' })).toBe('a')
    expect(await chosen(rules, { payload: 'x' }, { payload: '/data' })).toBe('otherwise')
  })

  it.each([
    ['text as it is', '^eu"west$', 'eu"west'],
    ['a number', '^1.5$', 1.5],
    ['a boolean', '^true$', true],
    ['null', '^null$', null],
    ['an object as compact JSON', '^{"a":1}$', { a: 1 }],
    ['an array as compact JSON', '^\\[1,"b"]$', [1, 'b']],
    ['empty text', '^$', ''],
  ])('sees %s with `at`', async (_, regex, region) => {
    expect(await chosen({ a: { regex, at: '/payload/region' } }, { payload: { region } })).toBe('a')
  })

  it('does not match where there is nothing at `at`', async () => {
    expect(await chosen({ a: { regex: '', at: '/payload/region' } }, { payload: {} })).toBe('otherwise')
    expect(await chosen({ a: { regex: '', at: '/payload/toString' } }, { payload: {} })).toBe('otherwise')
  })

  it('obeys its flags', async () => {
    const value = { payload: { t: 'A\nB' } }
    const at = '/payload/t'

    expect(await chosen({ a: { regex: 'a', at } }, value)).toBe('otherwise')
    expect(await chosen({ a: { regex: 'a', at, flags: 'i' } }, value)).toBe('a')
    expect(await chosen({ a: { regex: '^B', at } }, value)).toBe('otherwise')
    expect(await chosen({ a: { regex: '^B', at, flags: 'm' } }, value)).toBe('a')
    expect(await chosen({ a: { regex: 'A.B', at } }, value)).toBe('otherwise')
    expect(await chosen({ a: { regex: 'a.b', at, flags: 'is' } }, value)).toBe('a')
  })

  it('takes linear time on a text that makes others backtrack', async () => {
    expect(await chosen({ a: { regex: '(a+)+[bc]' } }, { payload: 'a'.repeat(200_000) })).toBe('otherwise')
  })
})

describe('regex and jsonata in one rule', () => {
  const rules = { a: { regex: 'x', jsonata: 'n = 1' }, b: { regex: 'x' } }

  it.each([
    [{ payload: 'x', n: 1 }, 'a'],
    [{ payload: 'x', n: 2 }, 'b'],
    [{ payload: 'y', n: 1 }, 'otherwise'],
  ])('must both match: %j goes to %s', async (value, name) => {
    expect(await chosen(rules, value)).toBe(name)
  })

  it('answers at once as long as no expression is needed', () => {
    const transform = stage({
      a: { regex: 'x' },
      b: { jsonata: "payload = 'z' and n != 1" },
      c: { regex: 'y', jsonata: '$exists(n)' },
    })

    expect(transform.apply(event({ payload: 'x' }))).toHaveProperty('kind', 'pass')
    expect(transform.apply(event({ payload: 'z' }))).toHaveProperty('kind', 'pass')
    expect(transform.apply(event({ payload: 'z', n: 2 }))).toHaveProperty('kind', 'pass')
    expect(transform.apply(event({ payload: 'y' }))).toBeInstanceOf(Promise)
    expect(transform.apply(event({ payload: ['z'] }))).toBeInstanceOf(Promise)
  })

  it('goes on with the rules behind an expression that is false', async () => {
    const verdict = await stage({
      a: { jsonata: 'n = 1' },
      b: { jsonata: 'n = 2' },
      c: { regex: 'x' },
    }).apply(event({ n: 3, payload: 'x' }))

    expect(nameIn(verdict)).toBe('c')
  })

  it('makes a compact text of the payload once for all rules', async () => {
    const original = event({ n: 0, payload: {} })
    let reads = 0
    Object.defineProperty(original.body.value, 'payload', { get: () => reads++ })

    await stage({ a: { regex: 'x' }, b: { jsonata: 'n = 1' }, c: { regex: 'z' }, d: { regex: 'z' } }).apply(
      original,
    )
    expect(reads).toBe(1)
  })
})

describe('the settings', () => {
  const withRule = (rule: object) => () =>
    config({}, { rules: [{ name: 'a', when: { regex: 'x' }, to: { topic: 't' }, ...rule }] })

  it.each([
    { to: { topic: 'a/b' } },
    { to: { topic: '..' } },
    { to: { topic: '' } },
    { to: { topic: 'a'.repeat(250) } },
    { to: { topic: 't', partition: -1 } },
    { to: { topic: 't', partition: 1.5 } },
    { to: { topic: 't', key: 'x' } },
    { to: 'discard' },
    { name: 'A' },
    { name: '-a' },
    { when: { regex: 'x', at: 'payload' } },
    { when: { regex: 'x', flags: 'g' } },
    { when: { jsonata: '' } },
  ])('refuse %j', (rule) => {
    expect(withRule(rule)).toThrow('Not a config of route')
  })

  it.each([{ to: { topic: '...' } }, { to: { topic: 'a_B-9.x', partition: 0 } }, { name: '0.a-b_c' }])(
    'accept %j',
    (rule) => {
      expect(withRule(rule)).not.toThrow()
    },
  )

  it('demand `otherwise`', () => {
    expect(() => config({}, { otherwise: undefined })).toThrow('Not a config of route')
  })
})

describe('thousands of rules', () => {
  const rulesOf = (count: number, name: string) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`r${index}`, { regex: `"${name}":"eu-${index}"` }]),
    )

  it('are compiled with turns of the event loop in between', async () => {
    const transform = stage(rulesOf(4000, 'region'))
    let turns = 0
    let isStarting = true
    const turn = () => {
      turns++
      if (isStarting) setImmediate(turn)
    }
    setImmediate(turn)
    await transform.start?.()
    isStarting = false

    expect(turns).toBeGreaterThanOrEqual(4000 / 16)
    expect(nameIn(await transform.apply(event({ payload: { region: 'eu-3999' } })))).toBe('r3999')
    expect(nameIn(await transform.apply(event({ payload: { region: 'eu-4000' } })))).toBe('otherwise')
  })

  it('are not compiled once more for a config that has them too', async () => {
    const running = stage(rulesOf(100, 'zone'))
    await running.start?.()
    const compile = vi.spyOn(RE2JS, 'compile')
    const settings = config({ ...rulesOf(100, 'zone'), more: { regex: '"zone":"us-1"' } })
    expect(problems(settings)).toEqual([])
    await route.create(settings, testContext()).start?.()

    expect(compile.mock.calls.map(([pattern]) => pattern)).toEqual(['"zone":"us-1"'])
    compile.mockRestore()
    expect(nameIn(await running.apply(event({ payload: { zone: 'eu-99' } })))).toBe('r99')
  })
})
