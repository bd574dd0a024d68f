/**
 * Where events are among the rows of a generation, by their identity. Four bytes a cell, for there are as many as events are
 * remembered: the number of a row, and of the identity as much as is left, which tells nearly all strangers.
 */
export interface RowIndex {
  add(identity: string, row: number): void
  /** The newest row that is the one of this identity. */
  find(identity: string): number | undefined
}

/** Of all cells. With more of them taken, what is not there is looked for in more than one line of a processor's cache. */
const TAKEN_AT_MOST = 0.75
const RANGE = 2 ** 32

/** For rows from 0 to below `capacity`, which is at most 2 ** 30. `holds` says whether a row is of an identity. */
export function createRowIndex(
  capacity: number,
  holds: (row: number, identity: string) => boolean,
): RowIndex {
  const cells = new Int32Array(Math.ceil((capacity + 1) / TAKEN_AT_MOST))
  const rowBits = 32 - Math.clz32(capacity)
  const rowMask = 2 ** rowBits - 1
  const firstCell = (identity: string): number =>
    Math.floor(((word(identity, 0) >>> 0) / RANGE) * cells.length)
  const after = (at: number): number => (at + 1 === cells.length ? 0 : at + 1)
  const markOf = (identity: string): number => word(identity, 4) << rowBits

  return {
    add(identity, row) {
      let at = firstCell(identity)
      while (cells[at] !== 0) at = after(at)
      cells[at] = markOf(identity) | (row + 1)
    },
    find(identity) {
      const mark = markOf(identity)
      let found: number | undefined
      for (let at = firstCell(identity); cells[at] !== 0; at = after(at)) {
        const cell = cells[at] as number
        if ((cell & ~rowMask) !== mark) continue
        const row = (cell & rowMask) - 1
        if (holds(row, identity)) found = row
      }
      return found
    },
  }
}

/** Four bytes of an identity. They are those of a hash, so no two groups of them know of each other. */
export const word = (identity: string, at: number): number =>
  identity.charCodeAt(at) |
  (identity.charCodeAt(at + 1) << 8) |
  (identity.charCodeAt(at + 2) << 16) |
  (identity.charCodeAt(at + 3) << 24)
