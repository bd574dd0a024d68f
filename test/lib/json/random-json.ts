import fc from 'fast-check'

/** A JSON value and one of the many texts that mean it. */
export interface Written {
  readonly value: unknown
  readonly text: string
}

const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 2 })

const char = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  fc.constantFrom(
    '"',
    '\\',
    '/',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\n',
    '\u0000',
    '\u2028',
    '\u{1F600}',
    '\ud800',
    '~',
  ),
)

/** A character as it is, where JSON allows that, or escaped. */
const writtenChar = fc.tuple(char, fc.boolean()).map(([raw, escaped]): [string, string] => {
  const units = raw.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return [raw, escaped ? units.join('') : JSON.stringify(raw).slice(1, -1)]
})

const writtenString = fc.array(writtenChar, { maxLength: 6 }).map((chars) => ({
  value: chars.map(([raw]) => raw).join(''),
  text: `"${chars.map(([, text]) => text).join('')}"`,
}))

const scalar: fc.Arbitrary<Written> = fc.oneof(
  writtenString,
  fc
    .constantFrom(
      '0',
      '-0',
      '1.0',
      '1e400',
      '-1E+2',
      '12345678901234567890',
      '0.1e-7',
      'true',
      'false',
      'null',
    )
    .map((text) => ({ value: JSON.parse(text) as unknown, text })),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => JSON.stringify(value))
    .map((text) => ({ value: JSON.parse(text) as unknown, text })),
)

const array = (item: fc.Arbitrary<Written>): fc.Arbitrary<Written> =>
  fc.tuple(fc.array(fc.tuple(space, item, space), { maxLength: 4 }), space).map(([items, inside]) => ({
    value: items.map(([, { value }]) => value),
    text: `[${items.length === 0 ? inside : items.map(([before, { text }, after]) => before + text + after).join()}]`,
  }))

const keys = fc.oneof(
  writtenString,
  fc
    .constantFrom('__proto__', 'constructor', '0', '1', '', '-')
    .map((value) => ({ value, text: JSON.stringify(value) })),
)

const member = (item: fc.Arbitrary<Written>) => fc.tuple(space, keys, space, space, item, space)

const object = (item: fc.Arbitrary<Written>): fc.Arbitrary<Written> =>
  fc
    .tuple(fc.uniqueArray(member(item), { maxLength: 4, selector: ([, key]) => key.value }), space)
    .map(([members, inside]) => {
      const texts = members.map(([a, key, b, c, { text }, d]) => `${a}${key.text}${b}:${c}${text}${d}`)
      const value: object = {}
      for (const [, key, , , item] of members) {
        Object.defineProperty(value, key.value, {
          value: item.value,
          enumerable: true,
          writable: true,
          configurable: true,
        })
      }
      return { value, text: `{${texts.length === 0 ? inside : texts.join()}}` }
    })

/** Any JSON text, with spaces anywhere, characters escaped or not, and no key twice. */
export const writtenJson: fc.Arbitrary<Written> = fc
  .letrec<{ json: Written }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      array(tie('json')),
      object(tie('json')),
    ),
  }))
  .json.chain(({ value, text }) =>
    fc.tuple(space, space).map(([before, after]) => ({ value, text: before + text + after })),
  )
