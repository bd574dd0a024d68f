/**
 * Finds which of many words stand in a text, in one pass over it however many they are (Aho and Corasick's automaton).
 * `numbersOf` has what each word, which is not empty, is there for. The result has the numbers of all words found, each
 * once and in order. Words are found in whatever case of ASCII letters; and some are that are not there, for characters
 * beyond ASCII are taken for others.
 */
export function wordSearch(
  numbersOf: ReadonlyMap<string, readonly number[]>,
): (text: string) => readonly number[] {
  const { columnOf, columns } = numberColumns(numbersOf.keys())
  const { rows, found } = automaton(numbersOf, columnOf, columns)
  // One array, in which a state is where its row begins: negative where a word ends.
  const table = new Int32Array(rows.length * columns)
  for (const [state, row] of rows.entries())
    for (const [column, next] of row.entries())
      table[state * columns + column] = next * columns * (found[next]?.length === 0 ? 1 : -1)
  // The search in which a state was last met, so that a word that stands in a text a thousand times counts once.
  const metIn = new Float64Array(rows.length)
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
  /** By the code of a character; 0 for all that are in no word. */
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

/** One code for the characters that are not told apart. Beyond ASCII they are many, and would make the table large. */
function alike(code: number): number {
  if (code >= 0x41 && code <= 0x5a) return code + 0x20
  if (code < 0x80) return code
  // Outside of ASCII, but letters of it in another case.
  if (code === 0x212a) return 0x6b
  if (code === 0x17f) return 0x73
  return 0x80 + (code % 32)
}

interface Automaton {
  /** The state that follows each state, by column. 0 is the one in which nothing of any word has been read. */
  readonly rows: readonly Int32Array[]
  /** The numbers of the words that end in each state. */
  readonly found: readonly (readonly number[])[]
}

function automaton(
  numbersOf: ReadonlyMap<string, readonly number[]>,
  columnOf: Uint8Array,
  columns: number,
): Automaton {
  const rows = [new Int32Array(columns)]
  const found: (readonly number[])[] = [NONE]
  for (const [word, numbers] of numbersOf) {
    let state = 0
    for (let index = 0; index < word.length; index++) {
      const row = rows[state] as Int32Array
      const column = columnOf[word.charCodeAt(index)] as number
      if (row[column] === 0) {
        row[column] = rows.push(new Int32Array(columns)) - 1
        found.push(NONE)
      }
      state = row[column] as number
    }
    found[state] = union([found[state] as readonly number[], numbers])
  }
  link(rows, found)
  return { rows, found }
}

/** Where no word goes on, that state follows which does after the longest end of what was read. Shorter words first. */
function link(rows: readonly Int32Array[], found: (readonly number[])[]): void {
  const shorter = new Int32Array(rows.length)
  const order = [...(rows[0] as Int32Array)].filter((state) => state !== 0)
  for (const state of order) {
    const row = rows[state] as Int32Array
    const end = shorter[state] as number
    found[state] = union([found[end] as readonly number[], found[state] as readonly number[]])
    for (const [column, next] of row.entries()) {
      const otherwise = rows[end]?.[column] as number
      if (next === 0) row[column] = otherwise
      else {
        shorter[next] = otherwise
        order.push(next)
      }
    }
  }
}
