import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { reason } from '../pipeline/config/file-reasons.js'
import type { Io } from './command.js'

/** The bytes of a file, or of standard input for `-`. Where it cannot be read that is said, and undefined returned. */
export async function readInput(name: string, { cwd, stdin, err }: Io): Promise<Buffer | undefined> {
  if (name === '-') return stdin()
  try {
    return readFileSync(resolve(cwd, name))
  } catch (error) {
    err(`${name} cannot be read: ${reason(error)}.\n`)
    return undefined
  }
}
