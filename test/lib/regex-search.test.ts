import { describe, expect, it } from 'vitest'
import { Budget, STEPS } from '../../src/lib/budget.js'
import { compileEcmaRegex, compileRegex } from '../../src/lib/regex.js'

const MIB = 1_048_576

/** The same text each time, in which no pattern of letters comes twice in a row. */
function letters(of: string, length: number): string {
  let seed = 1
  return Array.from({ length }, () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return of[(seed >> 16) % of.length]
  }).join('')
}

const ab = letters('ab', MIB)

describe('a search', () => {
  // Without a budget, each took 3 to 80 s.
  it.each([
    ['[ab]*a[ab]{200}[^ab]', ab],
    ['a[ab]{0,500}a[ab]{0,500}[^ab]', ab],
    ['(a[ab]{50}){1,20}[^ab]', ab],
    ['(?i)(a.{0,200}|b.{0,200}){2}[^ab]', ab],
    ['([a-z]{1,20} ?){1,30}[A-Z]', letters('abc ', MIB)],
    ['(\\p{L}{0,200}é){3}[^aéb]', letters('aéb', MIB)],
  ])('of %s in a MiB ends when its budget is used up', (pattern, text) => {
    for (const compile of [compileRegex, compileEcmaRegex]) {
      const budget = new Budget()
      expect(() => compile(pattern).test(text, budget)).toThrow(
        expect.objectContaining({ code: 'HG_EVENT_TOO_COSTLY', kind: 'data' }),
      )
      expect(budget.spent).toBeLessThan(STEPS + 2 * 262_144)
    }
  })

  it('goes on as before after one that was given up', () => {
    const regex = compileRegex('[ab]*a[ab]{200}[^ab]')
    const word = `${'a'.repeat(205)}!`

    expect(() => regex.test(ab)).toThrow('too much work to check')
    expect([regex.test(word), regex.test('aaa!'), regex.test(`${ab.slice(0, 9_000)}${word}`)]).toEqual([
      true,
      false,
      true,
    ])
  })

  it.each([
    ['"priority"\\s*:\\s*"high"', 200_000],
    ['(?i)"priority"\\s*:\\s*"high"', MIB],
    ['^.{0,1000}$', MIB],
    ['[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,255}!', MIB],
    ['\\b[A-Z]{3}-\\d{4}\\b', MIB],
    ['^\\{"id":\\d+', MIB],
  ])('of %s in a MiB of JSON takes a small part of its budget', (pattern, most) => {
    const text = JSON.stringify(
      Array.from({ length: 11_000 }, (_, id) => ({ id, priority: 'low', email: `a${id}@example.com` })),
    )
    const budget = new Budget()

    expect(compileRegex(pattern).test(text, budget)).toBe(false)
    expect(budget.spent).toBeLessThan(most)
  })

  it('for a long word that nearly stands everywhere takes no time', () => {
    const word = `${'a'.repeat(1_000)}b${'a'.repeat(1_000)}`

    expect(compileRegex(word).test('a'.repeat(MIB))).toBe(false)
    expect(compileRegex(`${word}[xy]`).test('a'.repeat(MIB))).toBe(false)
  })

  it('counts all engines of RE2JS, those for anchored patterns and for groups too', () => {
    const spent = (work: (budget: Budget) => unknown): number => {
      const budget = new Budget()
      work(budget)
      return budget.spent
    }
    const text = `${'ab'.repeat(5_000)}c`

    expect(spent((budget) => compileRegex('^(?:ab)+c$').test(text, budget))).toBeGreaterThan(1_000)
    expect(spent((budget) => compileRegex('(a|b)+c').test(text, budget))).toBeGreaterThan(3_000)
    expect(spent((budget) => compileRegex('(a|b)+c').find(text, 0, budget))).toBeGreaterThan(20_000)
  })
})

describe('a match', () => {
  it('has the places of its groups', () => {
    const regex = compileRegex('(a)|(b)(c)?')

    expect(regex.find('xxbc', 0)).toEqual([2, 4, -1, -1, 2, 3, 3, 4])
    expect(regex.find('xxbca', 3)).toEqual([4, 5, 4, 5, -1, -1, -1, -1])
    expect(regex.find('xxbc', 3)).toBeUndefined()
    expect(compileRegex('^b').find('ab', 1)).toBeUndefined()
    expect(compileRegex('\\bb').find('ab b', 1)).toEqual([3, 4])
  })
})
