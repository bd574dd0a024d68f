import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { areOnDisk, readRegular, readText } from '../../src/config/files.js'
import { temporaryDirectory } from '../helpers/context.js'

it('reads a regular file of UTF-8, without its byte order mark', () => {
  const folder = temporaryDirectory({ plain: 'ü\n', marked: '\ufeff{}', empty: '' })
  expect(readText(join(folder, 'plain'))).toBe('ü\n')
  expect(readText(join(folder, 'marked'))).toBe('{}')
  expect(readText(join(folder, 'empty'))).toBe('')
  expect(readRegular(join(folder, 'marked')).length).toBe(5)
})

it('reads files that do not say how long they are', () => {
  expect(readText('/proc/self/status')).toMatch(/^Name:/)
})

it('refuses what has no end, what waits, what is too large and what is no text, at once', () => {
  const folder = temporaryDirectory({ large: 'x'.repeat(2049), latin1: '' })
  execFileSync('mkfifo', [join(folder, 'fifo')])
  execFileSync('sh', ['-c', `printf '\\374' > ${join(folder, 'latin1')}`])
  expect(() => readText('/dev/zero')).toThrow('it is not a regular file')
  expect(() => readText(join(folder, 'fifo'))).toThrow('it is not a regular file')
  expect(() => readText(folder)).toThrow(expect.objectContaining({ code: 'EISDIR' }))
  expect(() => readText(join(folder, 'large'), 2048)).toThrow('it is too large')
  expect(() => readText(join(folder, 'latin1'))).toThrow('it is not UTF-8 text')
  expect(() => readText(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})

it('tells whether files still have the texts that were read', () => {
  const folder = temporaryDirectory({ one: '1', other: '2' })
  const path = (name: string) => join(folder, name)
  expect(
    areOnDisk(
      new Map([
        [path('one'), '1'],
        [path('other'), '2'],
      ]),
    ),
  ).toBe(true)
  expect(
    areOnDisk(
      new Map([
        [path('one'), '1'],
        [path('other'), '3'],
      ]),
    ),
  ).toBe(false)
  expect(areOnDisk(new Map([[path('gone'), '']]))).toBe(false)
})
