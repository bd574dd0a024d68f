import type { Database } from 'lmdb'

/** How many rows a table has, without looking at them. */
export const rowCount = (table: Pick<Database, 'getStats'>): number =>
  (table.getStats() as { readonly entryCount: number }).entryCount
