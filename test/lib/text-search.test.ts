import fc from 'fast-check'
import { expect, test } from 'vitest'
import { indexOf } from '../../src/lib/text-search.js'

const letters = (maxLength: number) => fc.string({ unit: fc.constantFrom('a', 'b'), maxLength })

test('a word is found where String.indexOf finds it', () => {
  const words = fc.tuple(letters(40), letters(3), letters(40)).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.array(letters(60)), words, fc.nat(20), (parts, word, from) => {
      const text = [...parts, word, ...parts].join('b')
      expect(indexOf(text, word, from)).toBe(text.indexOf(word, from))
    }),
  )
})

test('a long word that nearly stands everywhere in a long text takes no time', () => {
  // 40 s with String.indexOf.
  const word = `${'a'.repeat(125_000)}b${'a'.repeat(125_000)}`
  expect(indexOf('a'.repeat(1_048_576), word)).toBe(-1)
  expect(indexOf(`${'a'.repeat(500_000)}${word}`, word)).toBe(500_000)
})
