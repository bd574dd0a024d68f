import { expect, test } from 'vitest'
import { styleFor } from '../../../src/lib/terminal/style.js'
import { table } from '../../../src/lib/terminal/text.js'

const COLUMNS = [
  { title: 'route', align: 'left' },
  { title: 'sent', align: 'right' },
] as const

test('columns are as wide as their widest cell, texts to the left and numbers to the right', () => {
  const text = table(COLUMNS, [
    ['high-priority', '7'],
    ['eu', '12345'],
  ])
  expect(text.split('\n')).toEqual(['route           sent', 'high-priority      7', 'eu             12345'])
})

test('a colour does not count as width', () => {
  const red = styleFor(true, {})('red', '7')
  expect(red).not.toBe('7')
  const [, plain, styled] = table(COLUMNS, [
    ['eu', '7'],
    ['eu', red],
  ]).split('\n')
  expect(styled).toBe(plain?.replace('7', red))
})

test('a missing cell is empty and leaves no space at the end of the line', () => {
  expect(table(COLUMNS, [['eu']])).toBe('route  sent\neu')
})
