import { type Aspect, type Compared, type Destination, same } from './compare.js'

/** Events that go from one place to another. */
export interface Move {
  readonly before: Destination
  readonly after: Destination
  readonly count: number
  /** The first of them. */
  readonly examples: readonly string[]
}

/** Events that go to the same place, and are otherwise there. */
export interface Change {
  readonly at: Destination
  readonly aspects: readonly Aspect[]
  readonly count: number
  readonly examples: readonly string[]
}

/** Many events under two configs. */
export interface Comparison {
  readonly events: number
  /** Every pair of places that an event took, the ones that stay too; the most frequent first. */
  readonly moves: readonly Move[]
  readonly changes: readonly Change[]
  readonly refusedBefore: number
  readonly refusedAfter: number
}

/** Adds events up. */
export interface Comparing {
  add(compared: Compared): void
  result(): Comparison
}

interface Cell<Key> {
  readonly key: Key
  count: number
  readonly examples: string[]
}

/** `examples`: how many names are kept of each kind. */
export function comparing(examples: number): Comparing {
  const moves = new Map<string, Cell<Pick<Move, 'before' | 'after'>>>()
  const changes = new Map<string, Cell<Pick<Change, 'at' | 'aspects'>>>()
  let events = 0
  let refusedBefore = 0
  let refusedAfter = 0
  const count = <Key>(cells: Map<string, Cell<Key>>, key: Key, name: string): void => {
    const text = JSON.stringify(key)
    const cell = cells.get(text) ?? { key, count: 0, examples: [] }
    cells.set(text, cell)
    cell.count++
    if (cell.examples.length < examples && !cell.examples.includes(name)) cell.examples.push(name)
  }
  return {
    add({ name, before, after, changed }) {
      events++
      if (before.refused) refusedBefore++
      if (after.refused) refusedAfter++
      count(moves, { before, after }, name)
      if (changed.length > 0) count(changes, { at: before, aspects: changed }, name)
    },
    result: () => ({
      events,
      moves: byCount(moves),
      changes: byCount(changes),
      refusedBefore,
      refusedAfter,
    }),
  }
}

const byCount = <Key extends object>(cells: ReadonlyMap<string, Cell<Key>>) =>
  [...cells.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ key, count, examples }) => ({ ...key, count, examples }))

/** Those that do not stay where they are. */
export const moved = ({ moves }: Comparison): readonly Move[] =>
  moves.filter(({ before, after }) => !same(before, after))

export const isSame = (comparison: Comparison): boolean =>
  moved(comparison).length === 0 && comparison.changes.length === 0
