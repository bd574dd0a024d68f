import type { RootDatabase } from 'lmdb'
import type { Log } from '../contract/index.js'
import { rowCount, tableName } from './checked-tables.js'

const PENDING = tableName('', 'pending')

/**
 * Warns of each pipeline whose acknowledgements are pending in the state directory, and which has no ledger there any more:
 * it is not in the config, or has an inbox or a source with topics now. Nobody makes them until that is changed back.
 */
export function warnOfLeftAcks(
  database: RootDatabase,
  opened: ReadonlySet<string>,
  logOf: (pipeline: string) => Log,
): void {
  for (const name of database.getKeys() as Iterable<string>) {
    const slash = name.lastIndexOf('/')
    const pipeline = name.slice(0, Math.max(0, slash))
    if (pipeline === '' || opened.has(pipeline) || name.slice(slash + 1) !== PENDING) continue
    const pending = rowCount(database.openDB({ name }))
    if (pending > 0)
      logOf(pipeline).warn(
        { pending },
        'the state directory has pending acknowledgements of a pipeline that is not in the config, or has an inbox or topics as its source now: they wait until the pipeline is as it was',
      )
  }
}
