import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LONG } from '../../vitest.config.js'

test('every long test that is listed exists: a renamed one would run among the short ones', () => {
  const files = LONG.filter((path) => !path.includes('*'))
  expect(files.filter((path) => !existsSync(path))).toEqual([])
})
