import type { Table } from './checked-tables.js'

/** How many rows a table has, without looking at them. */
export const rowCount = (table: Pick<Table<unknown>, 'getStats'>): number =>
  (table.getStats() as { readonly entryCount: number }).entryCount
