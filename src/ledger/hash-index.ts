/** Cells that may be in use. With more, a lookup of an unknown identity reads more than one line of a processor's cache. */
const LOAD_FACTOR = 0.75
const RANGE = 2 ** 32

/**
 * Finds the row of an event by its identity. Four bytes a cell, because there is a cell for every event of the index: the
 * number of the row, and in the remaining bits as much of the identity, which rules out nearly all unknown events.
 */
export class HashIndex {
  readonly #cells: Int32Array
  readonly #rowBits: number
  readonly #rowMask: number
  readonly #holds: (row: number, identity: string) => boolean

  /** For rows from 0 to below `capacity`, which is at most 2 ** 30. `holds` tells whether a row has an identity. */
  constructor(capacity: number, holds: (row: number, identity: string) => boolean) {
    this.#cells = new Int32Array(Math.ceil((capacity + 1) / LOAD_FACTOR))
    this.#rowBits = 32 - Math.clz32(capacity)
    this.#rowMask = 2 ** this.#rowBits - 1
    this.#holds = holds
  }

  insert(identity: string, row: number): void {
    const cells = this.#cells
    let at = this.#firstCell(identity)
    while (cells[at] !== 0) at = at + 1 === cells.length ? 0 : at + 1
    cells[at] = (word(identity, 4) << this.#rowBits) | (row + 1)
  }

  /** The newest row with this identity. */
  lookup(identity: string): number | undefined {
    const cells = this.#cells
    const rowMask = this.#rowMask
    const mark = word(identity, 4) << this.#rowBits
    let found: number | undefined
    for (let at = this.#firstCell(identity); cells[at] !== 0; at = at + 1 === cells.length ? 0 : at + 1) {
      const cell = cells[at] as number
      if ((cell & ~rowMask) !== mark) continue
      const row = (cell & rowMask) - 1
      if (this.#holds(row, identity)) found = row
    }
    return found
  }

  #firstCell(identity: string): number {
    return Math.floor(((word(identity, 0) >>> 0) / RANGE) * this.#cells.length)
  }
}

/** Four bytes of an identity. They are bytes of a hash, so no two groups of them depend on each other. */
export const word = (identity: string, at: number): number =>
  identity.charCodeAt(at) |
  (identity.charCodeAt(at + 1) << 8) |
  (identity.charCodeAt(at + 2) << 16) |
  (identity.charCodeAt(at + 3) << 24)
