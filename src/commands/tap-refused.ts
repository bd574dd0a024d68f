import type { Readable } from 'node:stream'
import type { RefusedList } from '../admin/api.js'
import { printable, type Style, styleFor } from '../lib/terminal/text.js'
import { milliseconds } from '../lib/units.js'
import type { Settings } from '../process/settings.js'
import type { RefusedLine } from '../tap/line.js'
import { requestAdmin } from './admin-client.js'
import { type CommandInput, EXIT, type Io } from './command.js'

const EVENT_STREAM = 'text/event-stream'

/** Options of the tap that select events: a refused request has none of these. */
const OF_EVENTS = ['route', 'outcome', 'id', 'rate'] as const

/** Prints the refused requests that are kept, oldest first, and then those that come. Returns the exit code. */
export async function tapRefused(
  settings: Settings,
  options: CommandInput['options'],
  payload: string | undefined,
  io: Io,
): Promise<number> {
  const wrong = OF_EVENTS.find((name) => options[name] !== undefined)
  if (wrong !== undefined) {
    io.err(`--${wrong} selects events; with --refused, use --pipeline and --code.\n`)
    return EXIT.usage
  }
  const ending = endingOf(options, io)
  if (ending === undefined) return EXIT.usage
  const query = new URLSearchParams()
  for (const name of ['pipeline', 'code', 'mask'])
    for (const value of [options[name] ?? []].flat()) query.append(name, String(value))
  if (payload !== undefined) query.set('payload', payload)
  const { signal, limit } = ending
  const request = { method: 'GET', path: `/refused?${query}`, accept: EVENT_STREAM, signal } as const
  const ended = await requestAdmin(settings, request, options, io, (body) =>
    show(listsOf(body), limit, options['json'] === true, io),
  )
  return signal.aborted ? EXIT.ok : (ended ?? EXIT.wrong)
}

/** When to end. Undefined after printing that an option is wrong. */
function endingOf(
  { limit, for: duration }: CommandInput['options'],
  { err, signal }: Io,
): { readonly limit: number; readonly signal: AbortSignal } | undefined {
  if (limit !== undefined && !/^[1-9][0-9]{0,8}$/.test(String(limit))) {
    err(`--limit should be a whole number from 1; it is ${JSON.stringify(limit)}.\n`)
    return undefined
  }
  if (duration !== undefined && !/^[1-9][0-9]{0,5}(ms|s|m|h)$/.test(String(duration))) {
    err(`--for should be a duration such as 30s or 5m; it is ${JSON.stringify(duration)}.\n`)
    return undefined
  }
  const ending = new AbortController()
  const end = () => ending.abort()
  signal.addEventListener('abort', end, { once: true })
  if (duration !== undefined) setTimeout(end, milliseconds(String(duration))).unref()
  return {
    limit: limit === undefined ? Number.POSITIVE_INFINITY : Number(limit),
    signal: ending.signal,
  }
}

async function show(
  lists: AsyncIterable<RefusedList>,
  limit: number,
  json: boolean,
  io: Io,
): Promise<number | undefined> {
  const style = styleFor(io.terminal.out, io.env)
  let shown = 0
  for await (const { refused } of lists) {
    if (shown === 0 && refused.length === 0)
      io.err('No request has been refused yet. Press Ctrl-C to stop.\n')
    // The newest, if more are kept than are wanted.
    for (const line of refused.slice(0, limit - shown).reverse()) {
      io.out(json ? `${JSON.stringify(line)}\n` : formatRefused(line, style))
      shown++
    }
    if (shown >= limit) return EXIT.ok
  }
  io.err('The connection was closed: Headgate has exited.\n')
  return undefined
}

/** The messages of a stream of server-sent events. */
async function* listsOf(body: Readable): AsyncGenerator<RefusedList> {
  let incomplete = ''
  body.setEncoding('utf8')
  for await (const chunk of body) {
    const lines = `${incomplete}${chunk}`.split('\n')
    incomplete = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as RefusedList
  }
}

/** A refused request as one line, and a second one with the body if it was requested. */
export function formatRefused(line: RefusedLine, style: Style): string {
  const { time, pipeline, status, method, path, remoteAddress, code, message, headers } = line
  const sender = [remoteAddress, headers['user-agent']].filter((part) => part !== undefined)
  const parts = [
    time,
    style('red', String(status)),
    ...(method === undefined ? ['(no request)'] : [printable(`${method} ${path}`)]),
    ...(pipeline === undefined ? [] : [pipeline]),
    ...(sender.length === 0 ? [] : [`from ${printable(sender.join(' '))}`]),
    code === undefined ? printable(message) : `${style('bold', code)}: ${printable(message)}`,
  ]
  return `${[parts.join('  '), ...bodyOf(line)].join('\n')}\n`
}

/** Bytes that are shown of a body that is no text. */
const MOST_BINARY = 32

function bodyOf({ payload, hex, cut, bytes = 0, unshown }: RefusedLine): string[] {
  const size = `${bytes.toLocaleString('en-US')} bytes`
  if (unshown !== undefined) return [`    (${size}. ${unshown})`]
  if (hex !== undefined) return [`    (${size} that are no text, from ${hex.slice(0, 2 * MOST_BINARY)})`]
  if (payload === undefined) return []
  return [`    ${printable(payload)}${cut === true ? `... (${size} in all)` : ''}`]
}
