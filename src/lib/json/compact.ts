import { createScanner } from 'jsonc-parser'

/**
 * JSON with comments and trailing commas as JSON on one line, each number and string as it is written: what goes through
 * JSON.parse loses integers over 2^53, `1.0`, escapes and the order of numeric keys. `text` has been parsed before.
 */
export function compactJson(text: string): string {
  const scanner = createScanner(text, true)
  const nextToken = (): string => {
    scanner.scan()
    return text.substring(scanner.getTokenOffset(), scanner.getTokenOffset() + scanner.getTokenLength())
  }
  let compact = ''
  let comma = ''
  for (let token = nextToken(); token !== ''; token = nextToken()) {
    if (token === ',') {
      comma = token
      continue
    }
    // A comma before the end of a list is for people who edit it.
    compact += token === '}' || token === ']' ? token : comma + token
    comma = ''
  }
  return compact
}
