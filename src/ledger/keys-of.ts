import { type ByKey, byKey } from './by-key.js'
import type { Table } from './checked-tables.js'
import type { OwedKey } from './rows.js'

/** The keys of a table, and those of rows that it does not have yet. */
export function keysOf(
  table: Table<unknown, number[]>,
  ...unwritten: readonly (ByKey<unknown> | undefined)[]
): OwedKey[] {
  const keys = byKey<true>()
  for (const key of table.getKeys({})) keys.set(key as unknown as OwedKey, true)
  for (const some of unwritten) for (const [key] of some?.entries() ?? []) keys.set(key, true)
  return [...keys.entries()].map(([key]) => key)
}
