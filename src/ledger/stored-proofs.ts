import type { Table } from './checked-tables.js'
import { createDirtyKeys } from './dirty-keys.js'

/** What is kept to tell records of this pipeline from those of others. */
export interface StoredProofs {
  /** The keys by which records have been proven, the newest last: those before a secret was changed, too. */
  keys(): readonly string[]
  addKey(key: string): void
  /** When the last unproven record was found, on the clock of the ledger. */
  unprovenAt(): number | undefined
  noteUnproven(now: number): void
  hasNews(): boolean
  /** Within a transaction. */
  write(): void
  /** The transaction has succeeded. */
  written(): void
}

const KEYS = 'keys'
const UNPROVEN = 'unproven'
const MOST_KEYS = 8

export function openStoredProofs(table: Table<readonly string[] | number, string>): StoredProofs {
  let keys = (table.get(KEYS) ?? []) as readonly string[]
  let unprovenAt = table.get(UNPROVEN) as number | undefined
  const dirty = createDirtyKeys<string>()

  return {
    keys: () => keys,
    addKey(key) {
      if (keys.at(-1) === key) return
      keys = [...keys.filter((other) => other !== key), key].slice(-MOST_KEYS)
      dirty.add(KEYS)
    },
    unprovenAt: () => unprovenAt,
    noteUnproven(now) {
      unprovenAt = now
      dirty.add(UNPROVEN)
    },
    hasNews: dirty.hasNews,
    write() {
      for (const key of dirty.take()) table.put(key, key === KEYS ? keys : (unprovenAt as number))
    },
    written: dirty.written,
  }
}
