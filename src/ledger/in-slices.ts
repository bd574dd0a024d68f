import { setImmediate as turn } from 'node:timers/promises'
import type { Key, RangeOptions } from 'lmdb'

/** Rows that are read at a time: the next event does not wait for all of them. */
const SLICE = 2000

/**
 * All that `read` finds, in the order of its keys and some at a time. `closed`: nothing can be read any more; it ends then,
 * without the rest.
 */
export async function* inSlices<Row>(
  read: (range: RangeOptions) => Iterable<Row>,
  keyOf: (row: Row) => Key,
  closed: () => boolean,
): AsyncGenerator<readonly Row[]> {
  let from: RangeOptions = {}
  for (;;) {
    await turn()
    if (closed()) return
    const rows = [...read({ ...from, limit: SLICE })]
    yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < SLICE) return
    from = { start: keyOf(last), exclusiveStart: true }
  }
}
