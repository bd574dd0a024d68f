import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { traceparentOf, tracestateOf } from '../../src/http/request.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const valid = `00-${TRACE}-${SPAN}-01`

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const ofHeader = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.string()),
  fc.constant(undefined),
  fc.constantFrom(valid, `${valid}-x`, `01${valid.slice(2)}`),
)

describe('traceparent', () => {
  it.each([
    [valid, valid],
    [`00-${TRACE}-${SPAN}-ff`, `00-${TRACE}-${SPAN}-ff`],
    [`01-${TRACE}-${SPAN}-01`, valid],
    [`cc-${TRACE}-${SPAN}-03-what-comes.later`, valid],
    [`cc-${TRACE}-${SPAN}-06-`, `00-${TRACE}-${SPAN}-00`],
  ])('%s goes on as %s', (given, passed) => {
    expect(traceparentOf(given)).toBe(passed)
  })

  it.each<[string | string[], string]>([
    ['', 'nothing'],
    [`${valid}-extra`, 'version 00 with more'],
    [`ff-${TRACE}-${SPAN}-01`, 'the version that is none'],
    [`01-${TRACE}-${SPAN}-01x`, 'a later version without a dash'],
    [`01-${TRACE}-${SPAN}-1`, 'a later version that is short'],
    [`00-${'0'.repeat(32)}-${SPAN}-01`, 'no trace'],
    [`01-${TRACE}-${'0'.repeat(16)}-01`, 'no span'],
    [valid.toUpperCase(), 'upper case'],
    [`${valid}, ${valid}`, 'two of them'],
    [`${valid}\n`, 'a line end'],
    [`01${valid.slice(2)}\n`, 'a line end behind a later version'],
    [[valid], 'a list'],
  ])('%j is none: %s', (given) => {
    expect(traceparentOf(given)).toBeUndefined()
  })

  it('passes on version 00 only, for any header', () => {
    fc.assert(
      fc.property(ofHeader, (given) => {
        const passed = traceparentOf(given)
        if (passed === undefined) return
        expect(passed).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
        expect(String(given)).toContain(passed.slice(3, 52))
      }),
    )
  })

  it('passes on every trace and span of every later version', () => {
    const version = hex(2).filter((text) => text !== 'ff' && text !== '00')
    const some = (length: number) => hex(length).filter((text) => !/^0+$/.test(text))
    fc.assert(
      fc.property(version, some(32), some(16), hex(2), (its, trace, span, flags) => {
        const sampled = Number.parseInt(flags, 16) % 2
        expect(traceparentOf(`${its}-${trace}-${span}-${flags}`)).toBe(`00-${trace}-${span}-0${sampled}`)
      }),
    )
  })
})

describe('tracestate', () => {
  const longest = `a=${'x'.repeat(255)},b=${'y'.repeat(252)}`

  it.each([
    'congo=t61rcWkgMzE',
    'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    'fw529a3039@dt=FfSg; with spaces, \tother=1 ,',
    'a/b_c-d*e=!',
    '1=1',
    '0@vendor=1,a@b@c=2,tenant@1=3,a@=4',
    `a@${'b'.repeat(254)}=1`,
    ',,a=1,,',
    longest,
    Array.from({ length: 32 }, (_, n) => `k${n}=v`).join(','),
  ])('%s goes on as it came', (given) => {
    expect(tracestateOf(given)).toBe(given)
  })

  it.each<[string | string[], string]>([
    ['', 'nothing'],
    [' , ', 'empty members only'],
    ['a', 'no value'],
    ['a=', 'an empty value'],
    ['A=1', 'upper case'],
    ['a=1=2', 'an equals sign'],
    ['a=é', 'beyond ASCII'],
    ['a=\u0000', 'a control character'],
    ['a=1\n', 'a line end'],
    ['a=1,b', 'a bad member behind a good one'],
    [`${'a'.repeat(257)}=1`, 'a key that is too long'],
    ['@a=1', 'an at sign first'],
    ['_a=1', 'an underscore first'],
    [`${longest},`, 'too long'],
    [Array.from({ length: 33 }, (_, n) => `k${n}=v`).join(','), 'too many'],
    [['a=1'], 'a list'],
  ])('%j is none: %s', (given) => {
    expect(tracestateOf(given)).toBeUndefined()
  })

  it('passes on only printable and bounded values, unchanged, for any header', () => {
    const near = fc.array(fc.constantFrom('a', 'k@b', '=', ',', ' ', '1', '~', '\t', '\u0007', 'Z', 'é'))
    const given = fc.oneof(
      ofHeader,
      near.map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(given, (header) => {
        const passed = tracestateOf(header)
        if (passed === undefined) return
        expect(passed).toBe(header)
        expect(passed).toMatch(/^[\t -~]{1,512}$/)
      }),
      { numRuns: 2000 },
    )
  })
})
