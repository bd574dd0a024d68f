/** One token of RE2 syntax. There are others, which are rare, or name characters by numbers. */
const TOKEN = new RegExp(
  [
    /(?<open>\()|(?<close>\))|(?<bar>\|)/,
    // The character before these may be there no time at all.
    /(?<maybe>[*?]\??|\{\d+(?:,\d*)?\}\??)/,
    /(?<other>\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]|\\[dDsSwWbBAzntrfv]|[.^$]|\+\??)/,
    /\\(?<escaped>[^A-Za-z0-9])|(?<plain>[^\\[{])/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'suy',
)

/**
 * Words all of which stand, in whatever case, in each text that a regex matches: the plain characters between everything
 * else. `regex` is RE2 syntax and compiles. Empty where there are none, or none that are certain.
 */
export function requiredWords(regex: string, flags = ''): readonly string[] {
  // What counts as the same letter in another case is simple in ASCII only.
  const isFolded = flags.includes('i') || regex.includes('(?')
  const words: string[] = []
  let word: string[] = []
  let depth = 0
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < regex.length) {
    const token = TOKEN.exec(regex)?.groups
    if (token === undefined) return []
    const { open, close, bar, maybe, escaped, plain } = token
    if (open !== undefined) depth++
    if (close !== undefined) depth--
    if (bar !== undefined && depth === 0) return []
    const character = escaped ?? plain
    if (depth === 0 && character !== undefined && !(isFolded && character > '\x7f')) {
      word.push(character)
      continue
    }
    if (maybe !== undefined) word.pop()
    words.push(word.join(''))
    word = []
  }
  return [...words, word.join('')].filter((each) => each !== '')
}
