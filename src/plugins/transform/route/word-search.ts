/**
 * Finds which of many words stand in a text, in one pass over it however many they are (Aho and Corasick's
 * automaton). `numbersOf` maps each word, which is not empty, to the numbers of its rules. The result has the numbers
 * of all words found, each once and in order. The search ignores the case of ASCII letters. It can also report a word
 * that is not there, because it does not tell all characters beyond ASCII apart.
 */
export function wordSearch(
  numbersOf: ReadonlyMap<string, readonly number[]>,
): (text: string) => readonly number[] {
  const { columnOf, columns } = numberColumns(numbersOf.keys())
  const { table, found } = automaton(numbersOf, columnOf, columns)
  // The search that last reached each state, so that a word that occurs a thousand times in a text counts once.
  const metIn = new Float64Array(found.length)
  let searches = 0

  return (text) => {
    searches++
    let at = 0
    const met: (readonly number[])[] = []
    for (let index = 0; index < text.length; index++) {
      at = table[at + (columnOf[text.charCodeAt(index)] as number)] as number
      if (at >= 0) continue
      at = -at
      const state = at / columns
      if (metIn[state] === searches) continue
      metIn[state] = searches
      met.push(found[state] as readonly number[])
    }
    return union(met)
  }
}

const NONE: readonly number[] = []

/** All numbers of lists that are in order, each once and in order. */
export function union(lists: readonly (readonly number[])[]): readonly number[] {
  if (lists.length < 2) return lists[0] ?? NONE
  return [...new Set(lists.flat())].sort((a, b) => a - b)
}

interface Columns {
  /** By the code of a character; 0 for characters in no word. */
  readonly columnOf: Uint8Array
  readonly columns: number
}

function numberColumns(words: Iterable<string>): Columns {
  const numbers = new Map<number, number>()
  for (const word of words)
    for (let index = 0; index < word.length; index++) {
      const code = alike(word.charCodeAt(index))
      if (!numbers.has(code)) numbers.set(code, numbers.size + 1)
    }
  return {
    columnOf: Uint8Array.from({ length: 0x10000 }, (_, code) => numbers.get(alike(code)) ?? 0),
    columns: numbers.size + 1,
  }
}

/** One code for all characters beyond ASCII: there are many, and they would make the table large. */
function alike(code: number): number {
  if (code >= 0x41 && code <= 0x5a) return code + 0x20
  if (code < 0x80) return code
  // Outside of ASCII, but letters of it in another case.
  if (code === 0x212a) return 0x6b
  if (code === 0x17f) return 0x73
  return 0x80 + (code % 32)
}

interface Automaton {
  /**
   * By state and column, the start of the row of the next state: negative if a word ends in it. State 0 has read
   * nothing.
   */
  readonly table: Int32Array
  /** The numbers of the words that end in each state. */
  readonly found: readonly (readonly number[])[]
}

function automaton(
  numbersOf: ReadonlyMap<string, readonly number[]>,
  columnOf: Uint8Array,
  columns: number,
): Automaton {
  const characters = [...numbersOf.keys()].reduce((sum, { length }) => sum + length, 0)
  // One array for all rows: ten thousands of small ones keep the garbage collector busy.
  const table = new Int32Array((characters + 1) * columns)
  const found: (readonly number[])[] = [NONE]
  for (const [word, numbers] of numbersOf) {
    let row = 0
    for (let index = 0; index < word.length; index++) {
      const cell = row + (columnOf[word.charCodeAt(index)] as number)
      if (table[cell] === 0) {
        table[cell] = found.length * columns
        found.push(NONE)
      }
      row = table[cell] as number
    }
    found[row / columns] = union([found[row / columns] as readonly number[], numbers])
  }
  const used = table.slice(0, found.length * columns)
  link(used, found, columns)
  for (const [cell, row] of used.entries()) if (found[row / columns]?.length !== 0) used[cell] = -row
  return { table: used, found }
}

/**
 * The fallback state: if no word continues, the one for the longest suffix read that begins a word. Shorter words
 * first.
 */
function link(table: Int32Array, found: (readonly number[])[], columns: number): void {
  const shorter = new Int32Array(found.length)
  const order = [...table.subarray(0, columns)].filter((row) => row !== 0)
  for (const row of order) {
    const end = shorter[row / columns] as number
    found[row / columns] = union([
      found[end / columns] as readonly number[],
      found[row / columns] as readonly number[],
    ])
    for (let column = 0; column < columns; column++) {
      const next = table[row + column] as number
      const otherwise = table[end + column] as number
      if (next === 0) table[row + column] = otherwise
      else {
        shorter[next / columns] = otherwise
        order.push(next)
      }
    }
  }
}
