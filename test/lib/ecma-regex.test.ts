import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileEcmaRegex } from '../../src/lib/regex.js'

const EDGES = [
  ...'aZ09_-[]:^.\\/kſK',
  ...'\0\b\t\n\v\f\r \x1c\x1f\x85\xa0\u1680\u180e\u2000\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff',
  ...'äÖßλΩдЖ中あ\u0660٣½²\u{1F600}\u{10400}\u{E0001}',
]

/** Every character for which the two do not agree. */
const differences = (pattern: string, flags = ''): string[] => {
  const ours = compileEcmaRegex(pattern, flags)
  const theirs = new RegExp(pattern, `u${flags}`)
  return EDGES.filter((text) => ours.test(text) !== theirs.test(text))
}

describe('a class of ECMA-262', () => {
  it.each([
    '\\s',
    '\\S',
    '^\\s$',
    '[\\s]',
    '[^\\s]',
    '[\\S]',
    '[^\\S]',
    '[a\\s-]',
    '[\\S\\n]',
    '[\\s\\S]',
    '.',
    '^.$',
    '[.]',
    '[^.]',
    '\\.',
    '\\w',
    '\\W',
    '[\\w]',
    '\\d',
    '\\D',
    '[^\\d]',
    '\\b.',
    '[\\b]',
    'a\\B',
    '[]',
    '[^]',
    '[^^]',
    '[[]',
    '[\\]]',
    '[\\[\\^]',
    '\\cI',
    '[\\cI]',
    '\\0',
    '\\x0b',
    '\\u2028',
    '\\u{1F600}',
    '[\\u{1F600}-\\u{1F64F}]',
    '\\ud83d\\uDE00',
    '[\\u2028\\u2029]',
    '\\/',
    '[\\-]',
  ])('%s means what it means in a RegExp', (pattern) => {
    expect(differences(pattern)).toEqual([])
    expect(differences(pattern, 's')).toEqual([])
  })

  it.each([
    '\\p{Letter}',
    '\\P{Letter}',
    '\\p{L}',
    '\\p{Lu}',
    '\\p{Uppercase_Letter}',
    '\\p{gc=Lu}',
    '\\p{General_Category=Number}',
    '\\p{Script=Greek}',
    '\\p{sc=Grek}',
    '\\p{Script_Extensions=Cyrillic}',
    '\\p{Alphabetic}',
    '\\p{White_Space}',
    '\\p{ASCII}',
    '\\P{ASCII}',
    '\\p{Any}',
    '\\p{Emoji}',
    '\\p{ID_Start}',
    '[\\p{Letter}\\p{Number}]',
    '[^\\p{Letter}]',
    '[\\P{Letter}]',
    '[^\\P{Letter}]',
  ])('%s is known by its name', (pattern) => {
    expect(differences(pattern)).toEqual([])
  })

  it('is no POSIX class', () => {
    expect(compileEcmaRegex('^[[:alpha:]]$').test('h]')).toBe(true)
    expect(compileEcmaRegex('^[[:alpha:]]$').test('z')).toBe(false)
  })

  it('is what it is in a RegExp in every combination', () => {
    const part = fc.constantFrom(
      '.',
      '\\s',
      '\\S',
      '\\w',
      '\\d',
      '[\\s_]',
      '[^\\s]',
      '[^\\S]',
      '\\p{Letter}',
      '[^\\p{Letter}\\s]',
      'a',
      '\\b',
      '\\u{1F600}',
      '[^]',
    )
    const piece = fc
      .tuple(part, fc.constantFrom('', '', '*', '+?', '{1,2}'))
      .map(([what, often]) => (what === '\\b' ? what : what + often))
    const pattern = fc
      .array(piece, { minLength: 1, maxLength: 5 })
      .map((pieces) => `^(?:${pieces.join('')})$`)
    const text = fc.array(fc.constantFrom(...EDGES), { maxLength: 6 }).map((all) => all.join(''))

    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        expect(compileEcmaRegex(source).test(subject)).toBe(new RegExp(source, 'u').test(subject))
      }),
      { numRuns: 300 },
    )
  })
})

describe('an escape that ECMA-262 does not have', () => {
  it.each([
    ['a\\z', '\\z', 1],
    ['\\Aa', '\\A', 0],
    ['\\d\\Z', '\\Z', 2],
    ['\\Qa.b\\E', '\\Q', 0],
    ['\\\\\\a', '\\a', 2],
    ['[\\pL]', '\\p', 1],
  ])('is refused, since other engines give it another meaning: %s', (pattern, escaped, position) => {
    expect(() => compileEcmaRegex(pattern)).toThrowError(
      expect.objectContaining({
        code: 'HG_CONFIG_REGEX',
        message: `ECMAScript has no escape ${JSON.stringify(escaped)}: position ${position}.`,
      }),
    )
  })

  it.each(['\\p{Nonsense}', '\\p{Script=Nonsense}'])('%s is refused with its place', (name) => {
    expect(() => compileEcmaRegex(`ab${name}`)).toThrowError(
      expect.objectContaining({ code: 'HG_CONFIG_REGEX', message: expect.stringContaining('at position 2') }),
    )
  })
})
