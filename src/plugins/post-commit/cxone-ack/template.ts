import { HeadgateError } from '../../../contract/errors.js'
import type { Committed, ConfigProblem } from '../../../contract/index.js'

/** Text with the values of an event filled in. Throws HG_ACK_REQUEST if the event has no such value. */
export type Template = (committed: Committed) => string

const PLACEHOLDERS: { readonly [name: string]: (committed: Committed) => string | number | undefined } = {
  id: ({ id }) => id,
  topic: ({ receipt }) => receipt?.topic,
  partition: ({ receipt }) => receipt?.partition,
  offset: ({ receipt }) => receipt?.offset,
}

/** Never a part of JSON: a body has braces of its own. */
const PLACEHOLDER = /\{([A-Za-z_][\w.-]*)\}/

/** Compiles a checked template. `encode` escapes a value for its position in the text. */
export function compileTemplate(text: string, encode: (value: string) => string): Template {
  const [start = '', ...rest] = text.split(PLACEHOLDER)
  const parts = pairs(rest).map(([name = '', literal = '']) => ({ name, read: PLACEHOLDERS[name], literal }))
  return (committed) => {
    let filled = start
    for (const { name, read, literal } of parts) {
      const value = read?.(committed)
      if (value === undefined) {
        throw new HeadgateError('HG_ACK_REQUEST', `The request needs {${name}}, and the event has none.`)
      }
      filled += encode(String(value)) + literal
    }
    return filled
  }
}

/** Unknown placeholders. */
export function* templateProblems(text: string, at: string): Iterable<ConfigProblem> {
  const names = Object.keys(PLACEHOLDERS)
  for (const [name = ''] of pairs(text.split(PLACEHOLDER).slice(1))) {
    if (names.includes(name)) continue
    yield {
      at,
      code: 'HG_CONFIG_VALUE',
      message: `There is no placeholder {${name}}.`,
      expected: names.map((placeholder) => `{${placeholder}}`).join(', '),
    }
  }
}

/**
 * Percent-encodes a value for a path. "." and ".." have no encoding that survives: URL parsers on the way treat %2E
 * like a dot and remove the segment, so that the request would be another one.
 */
export function percentEncode(value: string): string {
  if (value !== '.' && value !== '..') {
    try {
      return encodeURIComponent(value)
    } catch {
      // A lone surrogate: not text, so there is no UTF-8 to encode.
    }
  }
  throw new HeadgateError('HG_ACK_REQUEST', `${JSON.stringify(value)} cannot be written into a path.`)
}

/** Escapes a value for the inside of a JSON string. */
export const jsonEscape = (value: string): string => JSON.stringify(value).slice(1, -1)

function pairs(flat: readonly string[]): (readonly string[])[] {
  return Array.from({ length: flat.length / 2 }, (_, index) => flat.slice(index * 2, index * 2 + 2))
}
