import { accessSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RootDatabase } from 'lmdb'
import { HeadgateError } from '../../errors.js'
import type { Log } from '../../plugin.js'
import { lockDirectory } from './directory-lock.js'
import { diskReason } from './disk-error.js'
import { closeIndex, openIndex } from './index-file.js'

/** The state directory of a process, locked for as long as it is open. */
export interface StateDirectory {
  readonly database: RootDatabase
  close(): Promise<void>
}

/**
 * Opens the state directory, or makes it. What it holds is an index of what is in Kafka: an index that is damaged is put
 * aside and made anew from there. Rejects with HG_STATE_UNUSABLE, HG_STATE_FULL, HG_STATE_LOCKED or HG_STATE_NEWER.
 */
export async function openStateDirectory(path: string, log: Log): Promise<StateDirectory> {
  makeUsable(path)
  const unlock = await lockDirectory(path)
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

function makeUsable(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const message = `The state directory ${path} cannot be used: ${diskReason(error, path)}.`
    throw new HeadgateError('HG_STATE_UNUSABLE', message)
  }
}
