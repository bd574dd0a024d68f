/** For a word of this length, V8 makes at most this many comparisons for each character of the text. */
const SHORT = 32

/**
 * As `text.indexOf(word, from)`, in linear time: V8 compares long words in quadratic time (`aaa...b...aaa` in a MiB of a
 * takes a minute). Knuth, Morris and Pratt's algorithm.
 */
export function indexOf(text: string, word: string, from = 0): number {
  if (word.length <= SHORT) return text.indexOf(word, from)
  // Most texts do not contain the first characters of the word: then nothing else is to be done.
  const start = text.indexOf(word.slice(0, SHORT), from)
  if (start === -1) return -1
  const borders = bordersOf(word)
  let matched = 0
  for (let at = start; at < text.length; at++) {
    const character = text.charCodeAt(at)
    while (matched > 0 && word.charCodeAt(matched) !== character) matched = borders[matched - 1] as number
    if (word.charCodeAt(matched) === character) matched++
    if (matched === word.length) return at - matched + 1
  }
  return -1
}

/** For each prefix of the word, the length of its longest proper suffix that is also a prefix of the word. */
function bordersOf(word: string): Int32Array {
  const borders = new Int32Array(word.length)
  for (let at = 1, matched = 0; at < word.length; at++) {
    const character = word.charCodeAt(at)
    while (matched > 0 && word.charCodeAt(matched) !== character) matched = borders[matched - 1] as number
    if (word.charCodeAt(matched) === character) matched++
    borders[at] = matched
  }
  return borders
}
