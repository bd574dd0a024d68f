import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { getSystemErrorName } from 'node:util'
import { HeadgateError } from '../contract/errors.js'

/** Bytes that must be free before LMDB opens a file: if it runs out of space then, it crashes by a signal. */
const SPACE_AT_START = 1 << 20

/** Checks by writing, because no figure includes quotas and reserved blocks. Throws HG_STATE_FULL. */
export function requireSpace(file: string): void {
  const trial = `${file}.space`
  let descriptor: number | undefined
  try {
    descriptor = openSync(trial, 'w')
    const block = Buffer.alloc(1 << 16)
    for (let written = 0; written < SPACE_AT_START; ) written += writeSync(descriptor, block)
  } catch (error) {
    throw startError(error, file)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
    rmSync(trial, { force: true })
  }
}

/** HG_STATE_FULL or HG_STATE_UNUSABLE for an error of the system or of lmdb. */
export function startError(error: unknown, file: string): HeadgateError {
  if (error instanceof HeadgateError) return error
  const reason = diskReason(error, file)
  const code = isFull(error, file) ? 'HG_STATE_FULL' : 'HG_STATE_UNUSABLE'
  return new HeadgateError(code, `The index ${file} cannot be used: ${reason}.`, { cause: error })
}

/** The reason in words, for the end of a sentence. */
export function diskReason(error: unknown, file: string): string {
  const name = systemName(error)
  if (isFull(error, file)) return `the disk is full (${name === 'EDQUOT' ? name : 'ENOSPC'})`
  if (name === 'EACCES' || name === 'EPERM') return `this process may not read and write it (${name})`
  if (name === 'EROFS') return 'its file system is read-only (EROFS)'
  if (name === 'EFBIG') return 'files of this process may not become so large (EFBIG, ulimit -f)'
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
}

/** Errors of the disk and of this process, which prove nothing about the content of a file. */
const OF_THE_SYSTEM = ['EIO', 'EROFS', 'EFBIG', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ENOMEM']

export const isOfTheSystem = (error: unknown, file: string): boolean =>
  error instanceof HeadgateError || isFull(error, file) || OF_THE_SYSTEM.includes(systemName(error) ?? '')

function isFull(error: unknown, file: string): boolean {
  const name = systemName(error)
  if (name === 'ENOSPC' || name === 'EDQUOT') return true
  // LMDB reports this for a partial write, which is the first sign of a full disk.
  return name === 'EIO' && freeBytes(file) < SPACE_AT_START
}

function freeBytes(file: string): number {
  try {
    const { bavail, bsize } = statfsSync(dirname(file))
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** Errors of Node have the name, those of lmdb the number. */
function systemName(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  if (typeof code === 'string') return code
  if (typeof code !== 'number' || code <= 0) return undefined
  return getSystemErrorName(-code)
}
