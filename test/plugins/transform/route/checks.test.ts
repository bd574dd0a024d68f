import { describe, expect, it } from 'vitest'
import { config, problems, type Rules } from './setup.js'

const messages = (rules: Rules) =>
  problems(config(rules)).map(({ at, code, message }) => `${at} ${code} ${message}`)

describe('problems of rules', () => {
  it('finds none in rules that are fine', () => {
    const rules = {
      high: { regex: '"priority"\\s*:\\s*"high"' },
      eu: { regex: '^eu', at: '/payload/region', flags: 'i' },
      both: { regex: 'x', jsonata: "payload.region = 'eu-west'" },
    }

    expect(messages(rules)).toEqual([])
  })

  it('reports all of them at once', () => {
    const rules = [
      { name: 'a', when: { regex: '(', jsonata: 'a =' }, to: { topic: 't' } },
      { name: 'a', when: {}, to: 'dead-letter' },
      { name: 'otherwise', when: { at: '/x', flags: 'i', jsonata: 'a' }, to: { topic: 't' } },
    ]

    expect(problems(config({}, { rules, otherwise: 'dead-letter' }), false)).toMatchObject([
      { at: '/rules/0/when/regex', code: 'HG_CONFIG_REGEX' },
      { at: '/rules/0/when/jsonata', code: 'HG_CONFIG_JSONATA' },
      {
        at: '/rules/1/name',
        code: 'HG_CONFIG_CONFLICT',
        message: 'The name "a" is already used for the rule at /rules/0.',
      },
      { at: '/rules/1/when', code: 'HG_CONFIG_MISSING_KEY' },
      { at: '/rules/1/to', code: 'HG_CONFIG_CONFLICT' },
      { at: '/rules/2/name', code: 'HG_CONFIG_CONFLICT' },
      {
        at: '/rules/2/when',
        code: 'HG_CONFIG_MISSING_KEY',
        message: '"at" says where "regex" looks, and there is no "regex" here.',
      },
      { at: '/rules/2/when', code: 'HG_CONFIG_MISSING_KEY' },
      {
        at: '/otherwise',
        code: 'HG_CONFIG_CONFLICT',
        message: 'The pipeline has no topic for dead letters.',
      },
    ])
  })

  it('accepts dead letters where the pipeline has a topic for them', () => {
    expect(problems(config({}, { otherwise: 'dead-letter' }))).toEqual([])
  })

  it.each([
    ['a**', 'Invalid nested repetition operator: "**" at position 1.'],
    ['ab[z-a]', 'Invalid character class range: "z-a" at position 3.'],
    ['(a))', 'Unexpected ): "(a))" at position 3.'],
    ['(a', 'Missing closing ).'],
    ['x(?=y)', 'RE2 syntax has no look-around: "(?=" at position 1.'],
    ['x(?<!y)', 'RE2 syntax has no look-around: "(?<!" at position 1.'],
    ['(a)\\1', 'RE2 syntax has no back-references: "\\\\1" at position 3.'],
    ['\\\\1(a)\\1', 'RE2 syntax has no back-references: "\\\\1" at position 6.'],
    ['a{1001}', 'Invalid repeat count (at most 1000): "{1001}" at position 1.'],
    [
      '.{0,1000}a.{0,1000}',
      'The pattern is too costly: it compiles to 4003 instructions, and the limit is 2500. Repetitions such as {0,1000} count as often as they can repeat.',
    ],
  ])('tells what is wrong with the regex %s and where', (regex, message) => {
    expect(messages({ a: { regex } })).toEqual([`/rules/0/when/regex HG_CONFIG_REGEX ${message}`])
  })

  it.each([
    ['payload.region =', 'Unexpected end of expression at position 16.'],
    ["'abc", 'String literal must be terminated by a matching quote at position 4.'],
    ['a b', 'Syntax error: "b" at position 3.'],
    [
      '$contains(a, /x(?=y)/)',
      'The regular expression that ends at position 21: RE2 syntax has no look-around: "(?=" at position 1.',
    ],
    [
      '$eval(payload.code)',
      '$eval is not allowed at position 5: it would run text of the event as an expression.',
    ],
    [
      '($f := $eval; $f(a))',
      '$eval is not allowed at position 12: it would run text of the event as an expression.',
    ],
    [
      'a ~> $toMillis("[Y]")',
      '$toMillis is not allowed at position 14: its pictures become regular expressions that can hang.',
    ],
    [
      '$map(a, $append(?, b))',
      'Partial application is not allowed at position 16: it escapes the limits; write a function.',
    ],
    ['a[$pad(b, c) = d]', '$pad is not allowed at position 6: it can ask for output without end.'],
    [
      'a[$sort(b)[0] = 1]',
      '$sort is not allowed at position 7: it takes quadratic time; use the order-by operator ^(...).',
    ],
  ])('tells what is wrong with the expression %s and where', (jsonata, message) => {
    expect(messages({ a: { jsonata } })).toEqual([`/rules/0/when/jsonata HG_CONFIG_JSONATA ${message}`])
  })
})
