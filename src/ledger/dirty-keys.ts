/** Keys of rows that a table does not have yet as they are. */
export interface DirtyKeys<Key> {
  add(key: Key): void
  hasNews(): boolean
  /** Those to be put by the transaction that begins, and those of the one before if that did not succeed. */
  take(): Iterable<Key>
  /** The transaction has succeeded. */
  written(): void
}

export function createDirtyKeys<Key>(): DirtyKeys<Key> {
  let dirty = new Set<Key>()
  let writing = new Set<Key>()
  return {
    add: (key) => void dirty.add(key),
    hasNews: () => dirty.size + writing.size > 0,
    take() {
      writing = new Set([...writing, ...dirty])
      dirty = new Set()
      return writing
    },
    written() {
      writing = new Set()
    },
  }
}
