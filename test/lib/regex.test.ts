import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileEcmaRegex, compileRegex } from '../../src/lib/regex.js'

const refusal = (compile: () => unknown): unknown => {
  try {
    return compile()
  } catch (error) {
    return error
  }
}

describe('a regular expression', () => {
  it('searches anywhere in a text', () => {
    expect(compileRegex('b+').test('abba')).toBe(true)
    expect(compileRegex('^b+').test('abba')).toBe(false)
  })

  it('obeys i, m and s', () => {
    expect(compileRegex('^B.c', 'ims').test('a\nb\nc')).toBe(true)
    expect(compileRegex('^B.c', 'im').test('a\nb\nc')).toBe(false)
  })

  it.each(['[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,255}', '^.{0,1000}$', '(?i)"priority"\\s*:\\s*"high"'])(
    'may be %s',
    (pattern) => {
      expect(compileRegex(pattern).size).toBeLessThanOrEqual(2500)
    },
  )

  it.each([
    ['a{1000}b{1000}c{1000}', 3002],
    ['(.{0,900}x|.{0,900}y)', 3607],
    ['(a{0,30}){0,30}(b{0,30}){0,30}', 3782],
  ])('is refused where it is too costly, for all that it is linear: %s', (pattern, size) => {
    for (const compile of [compileRegex, compileEcmaRegex]) {
      expect(refusal(() => compile(pattern))).toMatchObject({
        code: 'HG_CONFIG_REGEX',
        message: expect.stringMatching(new RegExp(`compiles to ${size} instructions, and the limit is 2500`)),
      })
    }
  })

  it('is refused as malformed where repetitions in each other are over 1000', () => {
    expect(refusal(() => compileRegex('(a{1000}){1000}'))).toMatchObject({
      code: 'HG_CONFIG_REGEX',
      message: 'Invalid repeat count (at most 1000): "{1000}" at position 9.',
    })
  })

  it('is refused, and nothing else thrown, whatever is wrong with it', () => {
    const pattern = fc.string({
      unit: fc.constantFrom(...'ab01()[]{}?*+|^$.\\-,:<>=!PkpuxdQ/'),
      maxLength: 12,
    })

    fc.assert(
      fc.property(pattern, (text) => {
        for (const compile of [compileRegex, compileEcmaRegex]) {
          const result = refusal(() => compile(text))
          if (result instanceof Error) expect(result).toMatchObject({ code: 'HG_CONFIG_REGEX' })
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a regular expression of ECMAScript', () => {
  it.each([
    ['\\u0041', 'A'],
    ['^\\u{1F600}$', '\u{1F600}'],
    ['^\\ud83d\\uDE00$', '\u{1F600}'],
    ['^.$', '\u{1F600}'],
    ['^[^]$', '\n'],
    ['^(?<year>\\d{4})$', '2026'],
    ['^\\cA\\x41\\/-$', '\u0001A/-'],
    ['^\\p{L}+$', 'Größe'],
    ['^\\\\k<n>$', '\\k<n>'],
  ])('%s means what it says', (pattern, text) => {
    expect(new RegExp(pattern, 'u').test(text)).toBe(true)
    expect(compileEcmaRegex(pattern).test(text)).toBe(true)
  })

  it.each([
    ['(?<n>a)\\k<n>', 'RE2 syntax has no back-references: "\\\\k<n>" at position 7.'],
    ['/+(a)\\1', 'RE2 syntax has no back-references: "\\\\1" at position 5.'],
    ['/(?=a)', 'RE2 syntax has no look-around: "(?=" at position 1.'],
  ])('%s is refused with its place in what was written', (pattern, message) => {
    expect(refusal(() => compileEcmaRegex(pattern))).toMatchObject({ code: 'HG_CONFIG_REGEX', message })
  })
})
