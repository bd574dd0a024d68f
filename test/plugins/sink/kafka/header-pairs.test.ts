import { expect, it } from 'vitest'
import { headerPairs } from '../../../../src/plugins/sink/kafka/header-pairs.js'

const texts = (pairs: object[] | undefined) => pairs?.map((pair) => Object.entries(pair)[0])

it('gives each header as an object of its own, with this record’s value', () => {
  const pairs = headerPairs()
  expect(pairs([])).toBeUndefined()
  const first = pairs([
    { name: 'id', value: '1' },
    { name: 'route', value: 'eu' },
  ])
  expect(texts(first)).toEqual([
    ['id', '1'],
    ['route', 'eu'],
  ])
  expect(texts(pairs([{ name: 'id', value: '2' }]))).toEqual([['id', '2']])
})

it('keeps headers of the same name apart, and takes any name', () => {
  const pairs = headerPairs()
  const twice = [
    { name: 'tag', value: 'a' },
    { name: 'tag', value: 'b' },
    { name: 'tag', value: 'c' },
    { name: '__proto__', value: 'd' },
  ]
  const expected = [
    ['tag', 'a'],
    ['tag', 'b'],
    ['tag', 'c'],
    ['__proto__', 'd'],
  ]
  expect(texts(pairs(twice))).toEqual(expected)
  expect(texts(pairs(twice))).toEqual(expected)
})
