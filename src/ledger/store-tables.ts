import type { ByKey } from './by-key.js'
import type { Table } from './checked-tables.js'
import { keysOf } from './keys-of.js'
import { rowCount } from './row-count.js'
import { type Failed, type Owed, type OwedKey, owedRow, type Row, type StageAfter } from './rows.js'
import type { Unwritten } from './unwritten.js'

/** The acknowledgements of a pipeline that were given up. */
export interface Failures {
  add(failed: Failed): void
  all(): Failed[]
  /** Removes one; the caller owes it again. */
  forget(failed: Failed): void
  count(): number
  /** Moves all to other post-commit stages; what was given up stays there even where nobody is left to be told. */
  restage(stageAfter: StageAfter): void
  /** Within a transaction. */
  write(failed: Unwritten['failed']): void
}

/** One that was given up, as it stands on disk. */
export type FailedRow = readonly [row: Row, code: string, message: string, failedAt: number]

/** `unwritten`: what the disk has not been told yet, the newest first, to which changes are added. */
export function createFailures(
  table: Table<FailedRow, number[]>,
  load: (key: OwedKey, row: Row) => Owed,
  unwritten: () => readonly [Unwritten, Unwritten | undefined],
): Failures {
  let count = rowCount(table)

  const changes = (): ByKey<Failed | undefined> => unwritten()[0].failed
  const find = (key: OwedKey): Failed | undefined => {
    for (const some of unwritten()) if (some?.failed.has(key)) return some.failed.get(key)
    const found = table.get([...key])
    if (found === undefined) return undefined
    const [row, code, message, failedAt] = found
    return { ...load(key, row), reason: { code, message }, failedAt }
  }
  const all = (): Failed[] =>
    keysOf(table, ...unwritten().map((some) => some?.failed)).flatMap((key) => find(key) ?? [])

  return {
    add(failed) {
      if (find(failed.key) === undefined) count++
      changes().set(failed.key, { ...failed, parked: false })
    },
    all,
    forget({ key }) {
      count--
      changes().set(key, undefined)
    },
    count: () => count,
    restage(stageAfter) {
      for (const failed of all()) {
        const stage = stageAfter(failed.stage)
        if (stage !== failed.stage) changes().set(failed.key, { ...failed, stage })
      }
    },
    write(failed) {
      for (const [key, given] of failed.entries()) {
        if (given === undefined) table.remove([...key])
        else table.put([...key], [owedRow(given), given.reason.code, given.reason.message, given.failedAt])
      }
    },
  }
}
