import { accessSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RootDatabase } from 'lmdb'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { isLocked, lockDirectory, requestDirectory } from './directory-lock.js'
import { diskReason } from './disk-error.js'
import type { HandingOver, HandOver } from './hand-over.js'
import { closeIndex, openIndex } from './index-file.js'

/** The state directory of a process, locked for as long as it is open. */
export interface StateDirectory {
  readonly database: RootDatabase
  close(): Promise<void>
}

/**
 * Opens the state directory, or makes it. What it holds is an index of what is in Kafka: an index that is damaged is put
 * aside and made anew from there. Rejects with HG_STATE_UNUSABLE, HG_STATE_FULL, HG_STATE_LOCKED or HG_STATE_NEWER. With
 * `handOver`, other processes can ask for it.
 */
export async function openStateDirectory(
  path: string,
  log: Log,
  handOver?: HandOver,
): Promise<StateDirectory> {
  makeUsable(path)
  const unlock = await lockDirectory(path, handOver)
  const file = join(path, 'ledger.mdb')
  try {
    const database = await openIndex(file, log)
    return {
      database,
      async close() {
        await closeIndex(database, file)
        await unlock()
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

/** Whether another process has the state directory open. Makes it, as `openStateDirectory` does. */
export async function isStateInUse(path: string): Promise<boolean> {
  makeUsable(path)
  return isLocked(path)
}

/** Asks the process that has the state directory open to stop. Rejects with HG_STATE_LOCKED if it does not agree. */
export const requestState = (path: string): Promise<HandingOver | undefined> => requestDirectory(path)

function makeUsable(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const message = `The state directory ${path} cannot be used: ${diskReason(error, path)}.`
    throw new HeadgateError('HG_STATE_UNUSABLE', message)
  }
}
