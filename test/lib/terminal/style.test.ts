import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { styleFor } from '../../../src/lib/terminal/style.js'

test('a terminal gets colours', () => {
  const text = styleFor(true, {})('red', 'failed')
  expect(text).not.toBe('failed')
  expect(stripVTControlCharacters(text)).toBe('failed')
})

test.each([
  ['a file', false, {}],
  ['somebody who asked for none', true, { NO_COLOR: '1' }],
] as const)('%s gets plain text', (_who, terminal, env) => {
  expect(styleFor(terminal, env)('red', 'failed')).toBe('failed')
})
