/** Chance that repeats itself: the same seed gives the same events, so that what one run showed another one shows too. */
export interface Random {
  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number
  pick<Item>(items: readonly [Item, ...Item[]]): Item
}

/** The generator Mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const below = (bound: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
  return { below, pick: (items) => items[below(items.length)] ?? items[0] }
}
