import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder } from '../../src/lib/make-folder.js'
import { temporaryDirectory } from '../helpers/context.js'

test('a folder is made with those that it is in, and one that exists stays', () => {
  const path = join(temporaryDirectory(), 'a', 'b', 'c')
  makeFolder(path)
  writeFileSync(join(path, 'file'), '')
  makeFolder(path)
  expect(existsSync(join(path, 'file'))).toBe(true)
})

test('a folder in a file is the error of the system', () => {
  const file = join(temporaryDirectory(), 'file')
  writeFileSync(file, '')
  expect(() => makeFolder(file)).toThrow('EEXIST')
  expect(() => makeFolder(join(file, 'a'))).toThrow('ENOTDIR')
  expect(() => makeFolder(join(file, 'a', 'b'))).toThrow('ENOTDIR')
})

test.skipIf(process.platform !== 'linux')('a folder that the system cannot make is its error, too', () => {
  expect(() => makeFolder('/proc/missing')).toThrow('ENOENT')
  expect(() => makeFolder('/proc/missing/a/b')).toThrow('ENOENT')
})
