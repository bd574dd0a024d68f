import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wordSearch } from '../../../../src/plugins/transform/route/word-search.js'

describe('a search for many words', () => {
  it('finds the numbers of all that stand in a text, each once and in order', () => {
    const search = wordSearch(
      new Map([
        ['she', [3, 7]],
        ['he', [0, 7]],
        ['hers', [1]],
        ['his', [2]],
      ]),
    )

    expect(search('ushers')).toEqual([0, 1, 3, 7])
    expect(search('hehehe')).toEqual([0, 7])
    expect(search('HIS')).toEqual([2])
    expect(search('hi hers')).toEqual([0, 1, 7])
    expect(search('')).toEqual([])
    expect(search('hi')).toEqual([])
  })

  it('finds in ASCII what is there and nothing else, however the words overlap', () => {
    const text = (most: number) =>
      fc.array(fc.constantFrom('a', 'b', 'B', '-'), { maxLength: most }).map((parts) => parts.join(''))
    const words = fc.uniqueArray(
      text(4).filter((word) => word !== ''),
      { maxLength: 8 },
    )

    fc.assert(
      fc.property(words, fc.array(text(20), { maxLength: 4 }), (all, texts) => {
        const search = wordSearch(new Map(all.map((word, index) => [word, [index]])))
        for (const each of texts) {
          const there = all.flatMap((word, index) =>
            each.toLowerCase().includes(word.toLowerCase()) ? [index] : [],
          )
          expect(search(each)).toEqual(there)
        }
      }),
    )
  })

  it('overlooks no character beyond ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string(), fc.string(), (word, a, b) => {
        expect(wordSearch(new Map([[word, [5]]]))(a + word + b)).toEqual([5])
      }),
    )
  })
})
