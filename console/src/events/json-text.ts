/** A piece of a JSON text that is shown. */
export interface Piece {
  readonly text: string
  /** Of the marked place that it belongs to; undefined if it is not marked. */
  readonly mark: string | undefined
}

/** A text with line breaks of its own, if it is JSON; it may be cut. */
export const indented = (text: string): string =>
  /^\s*[[{"]/.test(text)
    ? jsonPieces(text, [])
        .map((piece) => piece.text)
        .join('')
    : text

interface Open {
  readonly close: '}' | ']'
  readonly pointer: string
  /** Of the current element or member. */
  key: string
  index: number
}

/**
 * A JSON text with line breaks, in pieces; those at the places, which are JSON Pointers, and below them are marked. The text may
 * be cut. Numbers stay as they were written: parsing would round them. The document itself is never marked.
 */
export function jsonPieces(json: string, places: readonly string[]): Piece[] {
  const pieces: { text: string; mark: string | undefined }[] = []
  const marks = places.filter((place) => place !== '')
  const open: Open[] = []
  const markOf = (pointer: string) =>
    marks.find((place) => pointer === place || pointer.startsWith(`${place}/`))
  const put = (text: string, pointer: string) => {
    const mark = markOf(pointer)
    const last = pieces.at(-1)
    if (last !== undefined && last.mark === mark) last.text += text
    else pieces.push({ text, mark })
  }
  const here = () => {
    const top = open.at(-1)
    return top === undefined ? '' : `${top.pointer}/${escaped(top.key)}`
  }
  const line = () => `\n${'  '.repeat(open.length)}`

  for (let at = 0; at < json.length; ) {
    const char = json[at] as string
    const top = open.at(-1)
    // White space of the sender.
    if (/\s/.test(char)) at++
    else if (char === '{' || char === '[') {
      const close = char === '{' ? '}' : ']'
      const next = afterSpace(json, at + 1)
      if (json[next] === close) {
        put(char + close, here())
        at = next + 1
        continue
      }
      const pointer = here()
      open.push({ close, pointer, key: '0', index: 0 })
      put(char + line(), pointer)
      at++
    } else if ((char === '}' || char === ']') && top !== undefined) {
      open.pop()
      put(line() + char, top.pointer)
      at++
    } else if (char === ',' && top !== undefined) {
      top.key = String(++top.index)
      put(`,${line()}`, top.pointer)
      at++
    } else if (char === ':') {
      put(': ', here())
      at++
    } else {
      const token = tokenAt(json, at)
      at += token.length
      if (top?.close === '}' && json[at] === ':') top.key = unquoted(token)
      put(token, here())
    }
  }
  return pieces
}

function afterSpace(json: string, start: number): number {
  let at = start
  while (/\s/.test(json[at] ?? '')) at++
  return at
}

/** A string, or the text up to the next sign of JSON. */
function tokenAt(json: string, start: number): string {
  let at = start + 1
  if (json[start] === '"') {
    while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
    at++
  } else while (at < json.length && !/[\s{}[\],:"]/.test(json[at] as string)) at++
  return json.slice(start, at)
}

function unquoted(token: string): string {
  try {
    return String(JSON.parse(token))
  } catch {
    return token
  }
}

const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
