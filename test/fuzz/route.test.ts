import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Budget, STEPS } from '../../src/lib/budget.js'
import { parseBody } from '../../src/lib/json/body.js'
import { compileEcmaRegex, compileRegex } from '../../src/lib/regex.js'
import { expressionProblems } from '../../src/plugins/transform/route/jsonata.js'
import { BUILTINS } from '../../src/plugins/transform/route/jsonata-builtins.js'
import { eventOf, stage } from '../plugins/transform/route/setup.js'
import { runs } from './runs.js'

/** The last piece of work may cost this much above the budget: one step of the NFA, or all of the backtracker. */
const REST = 3 * 262_144

/** Patterns of few letters, with the repetitions that cost most. */
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '\\w', '\\b', '^', '$', 'é'),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{0,30}', '{50}', '*?', '{1,200}'))
      .map(([inner, times]) => `(?:${inner})${times}`),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `${a}|${b}`),
    fc.array(tie('pattern'), { minLength: 2, maxLength: 4 }).map((parts) => parts.join('')),
    tie('pattern').map((inner) => `(${inner})`),
  ),
}))

const longText = fc
  .tuple(
    fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n', 'é', '😀'), minLength: 1, maxLength: 40 }),
    fc.nat(40_000),
  )
  .map(([text, times]) => text.repeat(times).slice(0, 262_144))

test('a search ends within its budget, whatever the pattern and the text', () => {
  fc.assert(
    fc.property(pattern, longText, fc.boolean(), (source, text, isEcma) => {
      const budget = new Budget()
      try {
        const regex = (isEcma ? compileEcmaRegex : compileRegex)(source)
        const isFound = regex.test(text, budget)
        budget.renew()
        expect(regex.find(text, 0, budget) !== undefined).toBe(isFound)
      } catch (error) {
        expect(['HG_CONFIG_REGEX', 'HG_EVENT_TOO_COSTLY']).toContain((error as { code?: unknown }).code)
      }
      expect(budget.spent).toBeLessThan(STEPS + REST)
    }),
    runs(40),
  )
})

const names = fc.constantFrom('a', 'b', 'list', 'deep', '$', '$$', 'a.b', 'list.a')
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small' },
    names,
    fc.constantFrom('1', '"x"', 'true', 'null', '/a*b/', '[1..9000]', '*', '**', '"\\u00e9"', '1e300'),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('=', '!=', '<', 'in', '&', '+', 'and', 'or', '..', '~>'),
        tie('expression'),
      )
      .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    fc
      .tuple(fc.constantFrom(...BUILTINS), fc.array(tie('expression'), { maxLength: 3 }))
      .map(([name, given]) => `$${name}(${given.join(', ')})`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `${a}[${b}]`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `${a}.(${b})`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `${a}^(${b})`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `[${a}, ${b}]`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `${a}{"k": ${b}}`),
    fc
      .tuple(fc.constantFrom('map', 'filter', 'reduce', 'each', 'sift'), tie('expression'), tie('expression'))
      .map(([name, a, b]) => `$${name}(${a}, function($x, $y){ ${b} })`),
    fc
      .tuple(tie('expression'), tie('expression'))
      .map(([a, b]) => `($f := function($x, $n){ $n = 0 ? $x : $f(${a}, $n - 1) }; $f(${b}, 40))`),
    fc.tuple(names, tie('expression')).map(([a, b]) => `($$ ~> |${a}|{"c": ${b}}|)`),
  ),
}))

const bodies = fc.oneof(
  fc.jsonValue().map((value) => JSON.stringify({ a: value, list: [value, value] })),
  fc.constantFrom(
    JSON.stringify({ a: 'ab'.repeat(100_000), list: Array.from({ length: 20_000 }, (_, n) => ({ a: n })) }),
    JSON.stringify({
      a: Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, [n]])),
      b: 'a',
    }),
    JSON.stringify({
      list: Array.from({ length: 100_000 }, () => []),
      a: Array.from({ length: 50_000 }, () => 1),
    }),
  ),
)

test('an expression ends as a verdict of its event, whatever it says', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(expression, bodies, async (jsonata, text) => {
      if (expressionProblems(jsonata).length > 0) return
      const verdict = await stage({ rule: { jsonata } }).apply(eventOf(text))
      expect(verdict.kind === 'fail' ? verdict.error.kind : verdict.kind).toMatch(/^(data|pass)$/)
    }),
    runs(150),
  )
})

test('any text is an expression, or has problems at places in it', () => {
  const token = fc.constantFrom(
    ...[
      'a',
      '.',
      '$',
      '$a',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '=',
      '==',
      '!',
      '&&',
      '~>',
      '|',
      '"x"',
      "'",
      '"',
      '/a/',
    ],
    ...[
      '1',
      '.5',
      '007',
      ' ',
      ',',
      ';',
      ':',
      ':=',
      '?',
      '^',
      '*',
      '%',
      '@',
      '#',
      'and',
      'NOT',
      'function',
      '“',
      '\\',
      '`',
    ],
  )
  fc.assert(
    fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
      const text = tokens.join('')
      for (const { message, from, to } of expressionProblems(text)) {
        expect(message).not.toBe('')
        expect(from).toBeGreaterThanOrEqual(0)
        expect(to).toBeGreaterThan(from)
        expect(to).toBeLessThanOrEqual(text.length + 1)
      }
    }),
    runs(500),
  )
})

test('numbers as they were sent decide of any body', async () => {
  const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][-+]?[0-9]{1,3})?$/)
  const rules = (number: string) => stage({ rule: { jsonata: `id = ${number}` } })
  await fc.assert(
    fc.asyncProperty(digits, digits, async (written, sent) => {
      if (!Number.isFinite(Number(written))) return
      const decided = async (number: string) => {
        const verdict = await rules(written).apply({
          ...eventOf('{}'),
          body: parseBody(Buffer.from(`{"id":${number}}`), 64),
        })
        return verdict.kind === 'pass' && verdict.event.route?.name === 'rule'
      }
      expect(await decided(written)).toBe(true)
      expect(await decided(sent)).toBe(equal(written, sent))
    }),
    runs(200),
  )
})

/** By another way than the code: as fractions. */
function equal(a: string, b: string): boolean {
  const scaled = (text: string) => {
    const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
    const [whole = '', fraction = ''] = mantissa.split('.')
    return BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length + 1100)
  }
  return scaled(a) === scaled(b)
}
