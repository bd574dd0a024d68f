import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { HeadgateError } from '../contract/errors.js'

const SHORTEST = 16

/** The key that the file holds, without white space around it; undefined when no file is named. */
export function readRecordKey(path: string, cwd = process.cwd()): string | undefined {
  if (path === '') return undefined
  let key: string
  try {
    key = readFileSync(resolve(cwd, path), 'utf8').trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new HeadgateError(
      'HG_RECORD_KEY',
      `HEADGATE_RECORD_KEY_FILE names ${path}, which cannot be read (${code}).`,
    )
  }
  if (key.length >= SHORTEST) return key
  throw new HeadgateError(
    'HG_RECORD_KEY',
    `HEADGATE_RECORD_KEY_FILE names ${path}, whose key has ${key.length} characters: at least ${SHORTEST} are needed.`,
  )
}
