import { createScanner } from 'jsonc-parser'
import { child } from './pointer.js'

/** A line of JSON laid out for people. */
export interface PrettyLine {
  readonly text: string
  /** The value that begins on the line; undefined for one that only ends something. */
  readonly pointer: string | undefined
}

interface Container {
  readonly pointer: string
  readonly isObject: boolean
  /** Of the element that comes next. */
  index: number
  empty: boolean
}

/** Lays valid JSON out, a value a line, each number and string as it is written. */
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
  /** To be called before a value or a key: the first in a container begins a line, and every one has its place. */
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
