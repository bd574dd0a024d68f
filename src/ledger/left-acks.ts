import type { RootDatabase } from 'lmdb'
import type { Log } from '../contract/index.js'
import { rowCount, splitTableName } from './checked-tables.js'

/**
 * Warns of each pipeline whose acknowledgements are pending in the state directory, and which has no ledger there any more:
 * it is no longer in the config, or now has an inbox or a source with topics. Nobody makes them until that is changed back.
 */
export function warnOfLeftAcks(
  database: RootDatabase,
  opened: ReadonlySet<string>,
  logOf: (pipeline: string) => Log,
): void {
  for (const table of database.getKeys() as Iterable<string>) {
    const { owner: pipeline, name } = splitTableName(table)
    if (pipeline === '' || opened.has(pipeline) || name !== 'pending') continue
    const pending = rowCount(database.openDB({ name: table }))
    if (pending > 0)
      logOf(pipeline).warn(
        { pending },
        'the state directory has pending acknowledgements of a pipeline that is no longer in the config, or that now has an inbox or a source "kafka": they wait until the pipeline is as it was',
      )
  }
}
