import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { reason } from '../config/file-reasons.js'
import type { Io } from './command.js'

/** The bytes of a file, or of standard input for `-`. Where it cannot be read that is said, and undefined returned. */
export async function readInput(name: string, { cwd, stdin, err }: Io): Promise<Buffer | undefined> {
  try {
    return withoutMark(name === '-' ? await stdin() : readFileSync(resolve(cwd, name)))
  } catch (error) {
    err(`${name} cannot be read: ${reason(error)}.\n`)
    return undefined
  }
}

/** Editors of Windows put a byte order mark before a text, which is no part of it. */
const withoutMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
