import type { Readable } from 'node:stream'
import type { TapLine } from '../tap/lines.js'

/** The lines of a tap, as they come. */
export async function* linesOf(body: Readable): AsyncGenerator<TapLine> {
  let begun = ''
  body.setEncoding('utf8')
  for await (const chunk of body) {
    const lines = `${begun}${chunk}`.split('\n')
    begun = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as TapLine
  }
}
