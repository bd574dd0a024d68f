import { HeadgateError } from '../contract/errors.js'
import type { Io } from './command.js'

/** What `work` gives. What is in its way is told the operator, and undefined returned. */
export async function tried<Result>({ err }: Io, work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work()
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError)) throw thrown
    err(`${thrown.code}: ${thrown.message}\n`)
    return undefined
  }
}
