import { createScanner } from 'jsonc-parser'
import { child } from './pointer.js'

/** A line of formatted JSON. */
export interface PrettyLine {
  readonly text: string
  /** JSON Pointer of the value that begins on the line; undefined if the line only closes an array or object. */
  readonly pointer: string | undefined
}

interface Container {
  readonly pointer: string
  readonly isObject: boolean
  /** Index of the next element. */
  index: number
  empty: boolean
}

/** Formats valid JSON with one value per line, each number and string as it is written. */
export function prettyLines(json: string): readonly PrettyLine[] {
  const lines: PrettyLine[] = []
  const open: Container[] = []
  let line = ''
  let pointer: string | undefined = ''
  let depth = 0
  const end = (): void => {
    lines.push({ text: '  '.repeat(depth) + line, pointer })
    line = ''
    depth = open.length
    pointer = undefined
  }
  /** Called before each value or key: begins a line for the first one in a container, and determines its JSON Pointer. */
  const begin = (key?: string): void => {
    const inside = open.at(-1)
    if (inside === undefined) return
    if (inside.empty) end()
    inside.empty = false
    if (key !== undefined) pointer = child(inside.pointer, key)
    else if (!inside.isObject) pointer = child(inside.pointer, inside.index++)
  }

  const scanner = createScanner(json, true)
  let isKey = false
  const nextToken = (): string => {
    scanner.scan()
    return json.substring(scanner.getTokenOffset(), scanner.getTokenOffset() + scanner.getTokenLength())
  }
  for (let token = nextToken(); token !== ''; token = nextToken()) {
    switch (token) {
      case '{':
      case '[': {
        begin()
        const isObject = token === '{'
        open.push({ pointer: pointer ?? '', isObject, index: 0, empty: true })
        line += token
        isKey = isObject
        break
      }
      case '}':
      case ']':
        if (open.at(-1)?.empty === false) end()
        open.pop()
        if (line === '') depth = open.length
        line += token
        isKey = false
        break
      case ',':
        line += token
        end()
        isKey = open.at(-1)?.isObject ?? false
        break
      case ':':
        line += ': '
        isKey = false
        break
      default:
        begin(isKey ? scanner.getTokenValue() : undefined)
        line += token
        isKey = false
    }
  }
  end()
  return lines
}
