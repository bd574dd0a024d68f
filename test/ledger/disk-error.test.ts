import { expect, test, vi } from 'vitest'
import { diskReason, requireSpace, startError } from '../../src/ledger/disk-error.js'
import { temporaryDirectory } from '../helpers/context.js'

const disk = vi.hoisted(() => ({ free: 0, write: undefined as string | undefined }))
vi.mock(import('node:fs'), async (original) => {
  const fs = await original()
  const statfsSync = () => ({ bavail: disk.free, bsize: 1 })
  const writeSync = (...args: Parameters<typeof fs.writeSync>) => {
    if (disk.write === undefined) return fs.writeSync(...args)
    throw Object.assign(new Error(`${disk.write}: write`), { code: disk.write })
  }
  return { ...fs, statfsSync, writeSync } as unknown as typeof fs
})

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
  disk.free = free
  expect(diskReason(error, '/state/ledger.mdb')).toBe(reason)
})

test('a start on a full disk is refused before LMDB gets the file', () => {
  disk.write = 'ENOSPC'
  const file = `${temporaryDirectory()}/ledger.mdb`
  expect(() => requireSpace(file)).toThrow(
    expect.objectContaining({
      code: 'HG_STATE_FULL',
      message: `The index ${file} cannot be used: the disk is full (ENOSPC).`,
    }),
  )
  disk.write = undefined
  expect(() => requireSpace(file)).not.toThrow()
})

test('another error than a full disk makes the state directory unusable', () => {
  disk.free = FREE
  expect(startError(nodeError('EACCES'), '/state/ledger.mdb')).toMatchObject({ code: 'HG_STATE_UNUSABLE' })
})
