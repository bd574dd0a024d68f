import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { expect, onTestFinished, test, vi } from 'vitest'
import { diskReason, requireSpace, startError } from '../../src/ledger/disk-error.js'
import { temporaryDirectory } from '../helpers/context.js'

/** For the current test: a disk with so much space, on which writes fail with this error. */
function setDisk(free: number, write?: string): void {
  const statfsSync = vi.spyOn(fs, 'statfsSync').mockReturnValue({ bavail: free, bsize: 1 } as fs.StatsFs)
  const writeSync = vi.spyOn(fs, 'writeSync')
  if (write !== undefined)
    writeSync.mockImplementation(() => {
      throw Object.assign(new Error(`${write}: write`), { code: write })
    })
  // The sources import the functions by name.
  syncBuiltinESMExports()
  onTestFinished(() => {
    statfsSync.mockRestore()
    writeSync.mockRestore()
    syncBuiltinESMExports()
  })
}

const FREE = 1 << 30
const lmdbError = (code: number, message: string) => Object.assign(new Error(message), { code })
const nodeError = (code: string) => Object.assign(new Error(`${code}: of Node`), { code })

test.each<[string, unknown, number, string]>([
  [
    'lmdb finds no room',
    lmdbError(28, 'No space left on device: Attempting'),
    FREE,
    'the disk is full (ENOSPC)',
  ],
  ['lmdb writes half of it', lmdbError(5, 'Input/output error'), 0, 'the disk is full (ENOSPC)'],
  ['a disk with room is broken', lmdbError(5, 'Input/output error'), FREE, 'Input/output error'],
  ['a quota is used up', nodeError('EDQUOT'), FREE, 'the disk is full (EDQUOT)'],
  ['a file system is read-only', nodeError('EROFS'), FREE, 'its file system is read-only (EROFS)'],
  ['a file is of another user', nodeError('EACCES'), FREE, 'this process may not read and write it (EACCES)'],
  ['lmdb says something else', lmdbError(-30796, 'MDB_CORRUPTED'), 0, 'MDB_CORRUPTED'],
])('if %s, the reason says so', (_how, error, free, reason) => {
  setDisk(free)
  expect(diskReason(error, '/state/ledger.mdb')).toBe(reason)
})

test('a start on a full disk is refused before LMDB gets the file', () => {
  const file = `${temporaryDirectory()}/ledger.mdb`
  expect(() => requireSpace(file)).not.toThrow()
  setDisk(0, 'ENOSPC')
  expect(() => requireSpace(file)).toThrow(
    expect.objectContaining({
      code: 'HG_STATE_FULL',
      message: `The index ${file} cannot be used: the disk is full (ENOSPC).`,
    }),
  )
})

test('another error than a full disk makes the state directory unusable', () => {
  setDisk(FREE)
  expect(startError(nodeError('EACCES'), '/state/ledger.mdb')).toMatchObject({ code: 'HG_STATE_UNUSABLE' })
})
