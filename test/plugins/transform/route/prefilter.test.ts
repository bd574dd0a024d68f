import { describe, expect, it } from 'vitest'
import { requiredLiterals } from '../../../../src/plugins/transform/route/prefilter.js'

describe('the words that a regex requires', () => {
  it.each<[string, string[]]>([
    ['"kind"\\s*:\\s*"kind-17"', ['"kind"', ':', '"kind-17"']],
    ['^[a-z]+-0*17$', ['-', '17']],
    ['eu\\.west\\|', ['eu.west|']],
    ['abc?d*ef+g', ['ab', 'ef', 'g']],
    ['ab{2}c{0,1}d', ['a', 'd']],
    ['a(b|c)?d(e(f))g', ['a', 'd', 'g']],
    ['a[]b]c[^]d]e[[:alpha:]|]f', ['a', 'c', 'e', 'f']],
    ['{"a":1}', []],
    ['"a":1}', ['"a":1}']],
    ['größe', ['größe']],
    ['(?i)größe', ['gr', 'e']],
  ])('stand between everything else: %s', (regex, words) => {
    expect(requiredLiterals(regex)).toEqual(words)
  })

  it.each(['ab|cd', '\\x61b', '\\Qab\\E', '\\pLab', 'ab{,2}', '.*', '(ab)?'])(
    'are none where they are not certain: %s',
    (regex) => {
      expect(requiredLiterals(regex)).toEqual([])
    },
  )

  it('are of ASCII where case does not matter', () => {
    expect(requiredLiterals('größe', 'i')).toEqual(['gr', 'e'])
  })
})
