import { describe, expect, it } from 'vitest'
import { route } from '../../../../src/plugins/transform/route/index.js'
import { compileJsonata } from '../../../../src/plugins/transform/route/jsonata.js'
import { checkContext } from '../../../helpers/context.js'
import { config, type Rules } from './setup.js'

const found = (rules: Rules, ensured: readonly unknown[] = []) => [
  ...(route.lint?.(config(rules), {
    ...checkContext(),
    ensured,
    maxBody: undefined,
    redeliveryBy: 'id+bytes' as const,
  }) ?? []),
]
const named = (name: string, rules: Rules, ensured?: readonly unknown[]) =>
  found(rules, ensured).filter((finding) => finding.name === name)
const never = (rules: Rules, ensured?: readonly unknown[]) => named('rule-never-matches', rules, ensured)

describe('a rule that can never match', () => {
  const unreachable = (...whens: Rules[string][]) =>
    never(Object.fromEntries(whens.map((when, index) => [`r${index}`, when]))).map(({ at }) => at)

  it('is named together with the one above it', () => {
    expect(never({ all: { regex: '.*' }, late: { jsonata: 'a = 1' } })).toMatchObject([
      {
        at: '/rules/1/name',
        message: 'The rule "late" can never match: the rule "all" above it always matches.',
      },
    ])
    expect(never({ first: { regex: 'x' }, again: { regex: 'x', jsonata: 'a' } })).toMatchObject([
      {
        at: '/rules/1/name',
        message:
          'The rule "again" can never match: the rule "first" above it matches whatever this one matches.',
      },
    ])
  })

  it.each<Rules[string]>([
    { regex: '.*' },
    { regex: '' },
    { regex: 'a?' },
    { regex: '(?s).*' },
    { regex: '(?i)(x|)' },
    { regex: '^' },
    { regex: '$' },
    { regex: '^.*' },
    { regex: '.*$' },
    { regex: '^.*$' },
    { jsonata: 'true' },
    { jsonata: ' "x" ' },
    { jsonata: '1' },
    { regex: '.*', jsonata: 'true' },
  ])('stands behind %j', (when) => {
    expect(unreachable(when, { regex: 'x' })).toEqual(['/rules/1/name'])
    expect(unreachable(when, { jsonata: 'a = 1' })).toEqual(['/rules/1/name'])
  })

  it.each<Rules[string]>([
    { regex: 'x' },
    { regex: '^$' },
    { regex: '^a*$' },
    { regex: '\\b' },
    { regex: '\\B' },
    { regex: '\\A\\z' },
    { regex: '[^a]' },
    { regex: '.*', at: '/payload/region' },
    { regex: '^.*$', at: '/payload/region' },
    { jsonata: 'true[0 = 1]' },
    { jsonata: 'a' },
    { regex: '.*', jsonata: 'a' },
  ])('is not said to stand behind %j', (when) => {
    expect(unreachable(when, { regex: 'y' })).toEqual([])
    expect(unreachable(when, { regex: 'y', at: '/other' })).toEqual([])
  })

  it.each<[Rules[string], Rules[string]]>([
    [{ regex: 'x' }, { regex: 'x' }],
    [
      { regex: 'x', flags: 'im' },
      { regex: 'x', flags: 'mi' },
    ],
    [{ jsonata: 'a = 1' }, { jsonata: ' a = 1 ' }],
    [{ jsonata: 'a = 1' }, { regex: 'x', jsonata: 'a = 1' }],
    [
      { regex: 'x', at: '/a' },
      { regex: 'x', at: '/a', jsonata: 'b' },
    ],
    [
      { regex: '.*', at: '/a' },
      { regex: 'x', at: '/a' },
    ],
  ])('stands behind one that asks for less: %j, then %j', (earlier, later) => {
    expect(unreachable(earlier, later)).toEqual(['/rules/1/name'])
  })

  it.each<[Rules[string], Rules[string]]>([
    [{ regex: 'x' }, { regex: 'x', flags: 'i' }],
    [{ regex: 'x' }, { regex: 'x', at: '/a' }],
    [
      { regex: 'x', at: '/a' },
      { regex: 'x', at: '/b' },
    ],
    [{ regex: 'x', jsonata: 'a' }, { regex: 'x' }],
    [
      { regex: 'x', at: '/a' },
      { regex: '.*', at: '/a' },
    ],
  ])('does not stand behind one that asks for something else: %j, then %j', (earlier, later) => {
    expect(unreachable(earlier, later)).toEqual([])
  })

  it('is reported once, whatever stands above it', () => {
    expect(unreachable({ regex: '.*' }, { regex: 'a' }, { regex: 'a' })).toEqual([
      '/rules/1/name',
      '/rules/2/name',
    ])
  })

  it.each<[string, Rules]>([
    ['its condition contradicts itself', { a: { jsonata: "region = 'eu' and region = 'us'" } }],
    ['its condition contradicts itself', { a: { jsonata: "(region = 'eu') and 'eu' != region" } }],
    ['its condition contradicts itself', { a: { jsonata: 'false' } }],
    ['its condition contradicts itself', { a: { jsonata: "a and region in ['x', 'y'] and region = 'z'" } }],
    [
      'the rule "a" above it matches whatever this one matches',
      { a: { jsonata: "region = 'eu'" }, b: { jsonata: 'n > 1 and region="eu"' } },
    ],
    [
      'the rule "a" above it matches whatever this one matches',
      { a: { jsonata: "region in ['eu', 'us']" }, b: { jsonata: "region = 'us'" } },
    ],
    [
      'the rules "a", "b" above it together match whatever this one matches',
      {
        a: { jsonata: "region = 'eu'" },
        b: { jsonata: "region = 'us'" },
        c: { jsonata: "region in ['eu', 'us']" },
      },
    ],
    [
      'the rule "a" above it matches whatever this one matches',
      { a: { regex: '^eu', at: '/region' }, b: { regex: '^(eu-west|eu-east)$', at: '/region' } },
    ],
    [
      'the rule "a" above it matches whatever this one matches',
      { a: { regex: '^eu-', at: '/region' }, b: { regex: '^eu-(west|east)$', at: '/region' } },
    ],
    [
      'the rule "a" above it matches whatever this one matches',
      { a: { regex: '^EU', at: '/region', flags: 'i' }, b: { regex: '^eu-west', at: '/region' } },
    ],
    [
      'the rule "a" above it matches whatever this one matches',
      { a: { regex: '^[a-e]u\\d+$', at: '/region' }, b: { regex: '^eu1$|^bu22$', at: '/region' } },
    ],
  ])('is told why: %s', (reason, rules) => {
    expect(never(rules).map(({ message }) => message)).toEqual([
      `The rule "${Object.keys(rules).at(-1)}" can never match: ${reason}.`,
    ])
  })

  it.each<Rules>([
    { a: { jsonata: "region = 'eu'" }, b: { jsonata: "$lowercase(region) = 'eu'" } },
    { a: { jsonata: "region = 'eu' and n = 1" }, b: { jsonata: "region = 'eu'" } },
    { a: { jsonata: "regions[0] = 'eu'" }, b: { jsonata: "regions[1] = 'eu'" } },
    { a: { jsonata: '$contains(a, /x/)' }, b: { jsonata: '$contains(a, /y/)' } },
    { a: { jsonata: '$random() > 0.5' }, b: { jsonata: '$random() > 0.5' } },
    { a: { regex: '^eu-', at: '/region' }, b: { regex: 'eu-', at: '/region' } },
    { a: { regex: '^eu', at: '/region' }, b: { regex: '^EU', at: '/region', flags: 'i' } },
    { a: { regex: '^eu.$', at: '/region' }, b: { regex: '^eu\\.$|^eu$', at: '/region' } },
    { a: { regex: '^eu$', at: '/region' }, b: { jsonata: "region = 'eu'" } },
    { a: { regex: '^a\\$|^b', at: '/region' }, b: { regex: '^(a\\|b)$', at: '/region' } },
    { a: { regex: '-\\$', at: '/region' }, b: { regex: '\\(-\\)$', at: '/region' } },
    { a: { jsonata: "region in ['eu', 'us'][0]" }, b: { jsonata: "region = 'us'" } },
    { a: { jsonata: "(region = 'eu')[1]" }, b: { jsonata: "region = 'eu'" } },
    { a: { jsonata: "region = 'eu'" }, b: { jsonata: "(region = 'eu'){'x': 1}" } },
  ])('is not any of %j', (rules) => {
    expect(never(rules)).toEqual([])
  })

  const schema = {
    type: 'object',
    properties: {
      payload: {
        type: 'object',
        properties: {
          region: { $ref: '#/$defs/region' },
          urgent: { type: 'boolean' },
          list: { type: 'array', items: { enum: ['a'] } },
          maybe: { properties: { x: { const: 1 } } },
        },
        additionalProperties: false,
      },
    },
    $defs: { region: { type: 'string', enum: ['eu-west', 'us-east'] } },
  }

  it.each<[Rules[string], boolean]>([
    [{ regex: '^eu_', at: '/payload/region' }, true],
    [{ regex: '^eu-', at: '/payload/region' }, false],
    [{ regex: '^yes$', at: '/payload/urgent' }, true],
    [{ regex: 'true', at: '/payload/urgent' }, false],
    [{ regex: '.', at: '/payload/regoin' }, true],
    [{ regex: '.', at: '/payload/region/name' }, true],
    [{ regex: '.', at: '/other' }, false],
    [{ regex: 'b', at: '/payload/list/0' }, false],
    [{ jsonata: "payload.region = 'eu_west'" }, true],
    [{ jsonata: "payload.region in ['eu_west', 'us-east']" }, false],
    [{ jsonata: "payload.list = 'b'" }, false],
    [{ jsonata: 'payload.maybe.x = 2' }, false],
  ])('is held against what the JSON Schema before it lets pass: %j', (when, isDead) => {
    expect(never({ a: when }, [schema]).map(({ at }) => at)).toEqual(isDead ? ['/rules/0/name'] : [])
    expect(never({ a: when })).toEqual([])
  })

  it('really never decides, whatever the event is', async () => {
    const regions = ['eu', 'us', 'ap', ['eu'], ['eu', 'us'], [], null, 1, undefined]
    const conditions = [
      "region = 'eu'",
      "region != 'eu'",
      "region in ['eu', 'us']",
      "region = 'us' or n = 1",
      'n = 1',
    ]
    for (const first of conditions) {
      for (const second of conditions) {
        for (const joint of [second, `${second} and ${first}`, `${second} or ${first}`]) {
          if (never({ a: { jsonata: first }, b: { jsonata: joint } }).length === 0) continue
          const [a, b] = [compileJsonata(first), compileJsonata(joint)]
          for (const region of regions) {
            for (const n of [1, 2]) {
              const body = { value: { region, n } } as never
              expect([first, joint, (await b.matches(body)) && !(await a.matches(body))]).toEqual([
                first,
                joint,
                false,
              ])
            }
          }
        }
      }
    }
  })
})

describe('rules that overlap', () => {
  const overlaps = (rules: Rules) => named('rules-overlap', rules).map(({ at, message }) => [at, message])

  it('are named with a value that both match', () => {
    expect(
      overlaps({ eu: { regex: '^eu-', at: '/region' }, west: { regex: '-west$', at: '/region' } }),
    ).toEqual([
      [
        '/rules/1/name',
        'The rules "eu" and "west" both match "eu--west" at /region; "eu" comes first and decides.',
      ],
    ])
    expect(overlaps({ a: { jsonata: "r in ['x', 'y']" }, b: { jsonata: "r = 'y' or r = 'z'" } })).toEqual([
      ['/rules/1/name', 'The rules "a" and "b" both match "y" at /r; "a" comes first and decides.'],
    ])
  })

  it.each<Rules>([
    { special: { regex: '^eu-west', at: '/region' }, general: { regex: '^eu', at: '/region' } },
    { a: { regex: '^eu-', at: '/region' }, b: { regex: '-west$', at: '/zone' } },
    { a: { regex: '^eu-', at: '/region' }, b: { regex: '^us-', at: '/region' } },
    { a: { regex: '"a"' }, b: { regex: '"b"' } },
    { a: { jsonata: "r = 'x'" }, b: { jsonata: "s = 'y'" } },
    { a: { jsonata: "r = 'x' and n = 1" }, b: { jsonata: "r = 'x' or n = 2" } },
  ])('are not those of %j', (rules) => {
    expect(overlaps(rules)).toEqual([])
  })

  it('are no matter where both go to the same target', () => {
    const to = { topic: 't' }
    const rules = [
      { name: 'a', when: { regex: '^a', at: '/x' }, to },
      { name: 'b', when: { regex: 'b$', at: '/x' }, to },
    ]
    expect([
      ...(route.lint?.(config({}, { rules }), {
        ...checkContext(),
        ensured: [],
        maxBody: undefined,
        redeliveryBy: 'id+bytes' as const,
      }) ?? []),
    ]).toEqual([])
  })
})

describe('a regex that cannot be meant', () => {
  it.each([
    [{ regex: 'a*' }, ['regex-matches-anything']],
    [{ regex: '.*' }, ['regex-matches-anything']],
    [{ regex: '(eu)?', at: '/region' }, ['regex-matches-anything']],
    [{ regex: '.*', at: '/region' }, []],
    [{ regex: 'a+' }, []],
    [{ regex: '^a*$' }, []],
    [{ regex: '"priority": "high"' }, ['regex-with-spaces']],
    [{ regex: '"priority" :"high"' }, ['regex-with-spaces']],
    [{ regex: '"priority"\\s*:\\s*"high"' }, []],
    [{ regex: '"priority": ?"high"' }, []],
    [{ regex: '"a": 1', at: '/payload/text' }, []],
  ])('is named: %j', (when, names) => {
    expect(found({ a: when }).map(({ name }) => name)).toEqual(names)
  })
})

describe('what an event can make of a rule', () => {
  const names = (when: Rules[string], maxBody?: number) => {
    const context = { ...checkContext(), ensured: [], maxBody, redeliveryBy: 'id+bytes' as const }
    return [...(route.lint?.(config({ a: when }), context) ?? [])].map(({ name }) => name)
  }

  it.each<[Rules[string], boolean]>([
    [{ regex: '[ab]*a[ab]{200}[^ab]' }, true],
    [{ regex: 'a[ab]{0,500}a[ab]{0,500}[^ab]' }, true],
    [{ regex: 'x.{0,300}y.{0,300}[^xy]' }, true],
    [{ regex: '^.{0,1000}$' }, false],
    [{ regex: '[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,255}' }, false],
    [{ regex: '"(priority|region|customer|channel)"\\s*:\\s*"(high|urgent|vip)-[0-9]{1,12}"' }, false],
  ])('the cost of %j at maxBody is named: %s', (when, isNamed) => {
    expect(names(when, 1_048_576)).toEqual(isNamed ? ['regex-too-costly'] : [])
    expect(names(when, 8_000)).toEqual([])
  })

  it.each<[string, boolean]>([
    ['id > 9007199254740993', true],
    ['$number(id) = 9007199254740993', true],
    ['id = 9007199254740993 and $exists(a)', true],
    ['id = 9007199254740993', false],
    ['a = "x" and (id = 9007199254740993 or id in [1234567890123456789])', false],
    ['id > 9007199254740992', false],
    ['price > 0.1', false],
    ['price > 0.12345678901234567891', true],
  ])('a number that JSONata rounds is named: %s %s', (jsonata, isNamed) => {
    expect(names({ jsonata })).toEqual(isNamed ? ['number-beyond-double'] : [])
  })
})
