import fc from 'fast-check'
import jsonata from 'jsonata'
import { describe, expect, it } from 'vitest'
import { Budget } from '../../../../src/lib/budget.js'
import { linearRegexEngine } from '../../../../src/plugins/transform/route/jsonata-syntax.js'

const Engine = linearRegexEngine(() => new Budget())

/** All matches, as JSONata steps through them. */
function matches(regex: Pick<RegExp, 'exec' | 'lastIndex'>, text: string) {
  const found: unknown[] = []
  for (let match = regex.exec(text); match !== null && found.length < 100; match = regex.exec(text)) {
    found.push({ groups: [...match], index: match.index, next: regex.lastIndex })
    if (match[0] === '') break
  }
  return { found, next: regex.lastIndex }
}

const atom = fc.constantFrom(
  'a',
  'b',
  'ab',
  '.',
  '[ab]',
  '[^a]',
  '\\d',
  '\\w',
  '(a)',
  '(a|b)',
  '(?:ab|c)',
  '\\.',
  'é',
  '/',
)
const quantifier = fc.constantFrom('', '', '*', '+', '?', '{2}', '*?', '+?')
// Not repeated: JavaScript forgets what a group took in an earlier round, RE2 does not.
const piece = fc.oneof(
  { arbitrary: fc.tuple(atom, quantifier).map((parts) => parts.join('')), weight: 9 },
  { arbitrary: fc.constant('(b)?'), weight: 1 },
)
const pattern = fc
  .tuple(
    fc.constantFrom('', '^'),
    fc.array(piece, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('', '$', '\\b'),
  )
  .map(([start, pieces, end]) => start + pieces.join('') + end)
const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', '.', '1', ' ', '\n', 'é', 'A', '/'),
  maxLength: 30,
})

describe('the regular expressions of JSONata', () => {
  it('find what those of JavaScript find', () => {
    fc.assert(
      fc.property(pattern, fc.constantFrom('g', 'gi', 'gm', 'gim'), text, (source, flags, input) => {
        const native = new RegExp(source, flags)

        expect(matches(new Engine(native), input)).toEqual(matches(new RegExp(source, flags), input))
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['$match(s, /([a-z])([0-9])?/)', 'a1-b-c3'],
    ['$replace(s, /([a-z])([0-9])?/, "<$1$2$0$$>")', 'a1-b-c3'],
    ['$replace(s, /[a-z]/i, function($m){ $uppercase($m.match) & $m.start }, 2)', 'a1-b-c3'],
    ['$split(s, /-/)', 'a1-b-c3'],
    ['$split(s, /-/, 2)', 'a1-b-c3'],
    ['$contains(s, /^A1/i)', 'a1-b-c3'],
    ['$contains(s, /^b/m)', 'a\nb'],
    ['$match(s, /\\w+/)[1].index', 'ab cd'],
    ['/a(b+)/(s)', 'xabbb'],
    ['$match(s, /x/)', 'abc'],
  ])('serve %s as those of JavaScript do', async (expression, s) => {
    const plain = await jsonata(expression).evaluate({ s })
    const linear = await jsonata(expression, { RegexEngine: Engine }).evaluate({ s })

    expect(JSON.stringify(linear)).toBe(JSON.stringify(plain))
  })
})
