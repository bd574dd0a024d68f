import type { CheckedConfig } from '../config/read.js'
import { ERRORS, type ErrorCode } from '../contract/errors.js'
import { MOST_TAPS, type TapReader, type Taps, type TapWish } from '../tap/tap.js'
import { type Answer, type Stream, text } from './answer.js'
import { get, type Route } from './routes.js'
import { readWish } from './tap-wish.js'

/** Milliseconds in which a reader has to take the last lines. */
const END_WITHIN = 30_000

/** Shows the events that pass, a JSON object a line, for as long as somebody reads them. */
export const tapRoutes = (
  taps: Taps,
  config: () => CheckedConfig,
  redact: (text: string) => string,
): Route[] => [
  get('/tap', ({ query }) => {
    const read = readWish(query, config())
    if ('complaint' in read) return problem(400, 'HG_TAP_REFUSED', redact(read.complaint))
    if (taps.full()) return problem(429, 'HG_TAP_BUSY', `${MOST_TAPS} taps are open, which is the most.`)
    return stream(taps, read.wish)
  }),
]

function stream(taps: Taps, wish: TapWish): Stream {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-ndjson' },
    stream(response) {
      const reader: TapReader = {
        write: (line) => response.write(line),
        end() {
          response.end()
          const late = setTimeout(() => response.destroy(), END_WITHIN).unref()
          response.once('close', () => clearTimeout(late))
        },
        drop: () => void response.destroy(),
      }
      const tap = response.destroyed ? undefined : taps.start(wish, reader)
      if (tap === undefined) return void response.end()
      response.on('drain', tap.flow)
      response.on('close', tap.leave)
    },
  }
}

/** As RFC 9457 says. */
function problem(status: number, code: ErrorCode, detail: string): Answer {
  const body = { type: `urn:headgate:error:${code}`, title: ERRORS[code].meaning, status, detail, code }
  return text(status, 'application/problem+json', JSON.stringify(body, undefined, 2))
}
