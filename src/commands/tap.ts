import type { Readable } from 'node:stream'
import { ERRORS } from '../contract/errors.js'
import { OUTCOMES } from '../contract/index.js'
import { printable, type Style, styleFor } from '../lib/terminal/text.js'
import type { TapEvent, TapLine } from '../tap/line.js'
import { requestAdmin, trustOptions } from './admin-client.js'
import { type Command, EXIT, type Io } from './command.js'
import { loadSettings, settingOptions } from './load.js'
import { tapRefused } from './tap-refused.js'

const DEFAULT_PAYLOAD = '2KiB'

export const tapCommand: Command = {
  name: 'tap',
  summary: 'Shows events live, with their outcome, route, topic, partition and offset.',
  details: `Connects to the Headgate that runs on this machine, until Ctrl-C, --limit or --for ends it. If a filter is repeated, an
event has to match one of its values. At most --rate events a second are shown; the others are counted. A tap never slows
events down. Secrets of the config are never shown, nor the values that "tap": {"mask": [...]} of the pipeline names.

  headgate tap --outcome rejected --outcome dead-lettered
  headgate tap --route high-priority --payload --limit 5
  headgate tap --id 4711 --json --for 5m

With --refused it shows the requests that got an error response instead, for instance those with a wrong token: first the
newest of each pipeline, which Headgate keeps in memory, and then those that come. Neither the query of the URL nor a header
that can have credentials is kept.

  headgate tap --refused --payload --for 1s`,
  options: [
    several('--pipeline <name>', 'Only events of this pipeline.'),
    several(
      '--route <rule>',
      'Only events that this rule matched; "otherwise" for those that no rule matched.',
    ),
    several(
      '--outcome <outcome>',
      `Only events with this outcome: ${OUTCOMES.slice(0, -1).join(', ')} or ${OUTCOMES.at(-1)}.`,
      OUTCOMES,
    ),
    several('--id <id>', 'Only the event with this id.'),
    several(
      '--code <code>',
      'Only events that failed with this code, such as HG_SCHEMA_VIOLATION.',
      Object.keys(ERRORS),
    ),
    { flags: '--refused', description: 'Shows refused requests in place of events.' },
    { flags: '--payload', description: 'Shows the body, up to --bytes.' },
    {
      flags: '--bytes <size>',
      description: `How much of each body is shown, up to 64KiB. Default: ${DEFAULT_PAYLOAD}.`,
    },
    several('--mask <pointer>', 'Also hides this value of the body, such as /payload/items/*/card.'),
    { flags: '--rate <n>', description: 'Events a second at most, up to 100. Default: 10.' },
    { flags: '--limit <n>', description: 'Ends after so many events.' },
    { flags: '--for <duration>', description: 'Ends after this time, such as 30s.' },
    { flags: '--json', description: 'Prints JSON, one event per line.' },
    ...settingOptions().filter(({ flags }) => flags.startsWith('--admin')),
    ...trustOptions,
  ],
  async run({ options }, io) {
    const settings = loadSettings(options, io)
    if (settings === undefined) return EXIT.usage
    if (options['refused'] === true) return tapRefused(settings, options, payloadOf(options), io)
    const path = `/tap?${queryOf(options)}`
    const request = { method: 'GET', path, signal: io.signal } as const
    const ended = await requestAdmin(settings, request, options, io, (body) =>
      show(linesOf(body), options['json'] === true, io),
    )
    if (io.signal.aborted) return EXIT.ok
    return ended ?? EXIT.wrong
  },
}

function several(flags: string, description: string, choices?: readonly string[]) {
  return { flags, description, repeatable: true, ...(choices && { choices }) } as const
}

function queryOf(options: Readonly<{ [name: string]: unknown }>): URLSearchParams {
  const query = new URLSearchParams()
  for (const name of ['pipeline', 'route', 'outcome', 'id', 'code', 'mask', 'rate', 'limit', 'for'])
    for (const value of [options[name] ?? []].flat()) query.append(name, String(value))
  const payload = payloadOf(options)
  if (payload !== undefined) query.append('payload', payload)
  return query
}

/** How much of each body is shown; undefined for none. */
const payloadOf = ({ payload, bytes }: Readonly<{ [name: string]: unknown }>): string | undefined =>
  payload === true || bytes !== undefined ? String(bytes ?? DEFAULT_PAYLOAD) : undefined

/** Returns the exit code; undefined if the last line is missing, after printing that. */
async function show(lines: AsyncIterable<TapLine>, json: boolean, io: Io): Promise<number | undefined> {
  const style = styleFor(io.terminal.out, io.env)
  let rate = 0
  let pipelines: readonly string[] = []
  for await (const line of lines) {
    if (line.kind === 'tapping') {
      ;({ rate, pipelines } = line)
      io.err(`Showing events of ${pipelines.join(', ')}, at most ${rate} a second. Press Ctrl-C to stop.\n`)
    } else if (line.kind === 'end') {
      if (WHY[line.why] !== undefined) io.err(`${WHY[line.why]}\n`)
      return line.why === 'failed' ? EXIT.wrong : EXIT.ok
    } else if (line.kind === 'skipped') {
      const count = line.count.toLocaleString('en-US')
      io.err(`... and ${count} more that are not shown: above --rate, or not read fast enough\n`)
    } else if (line.kind === 'event') {
      io.out(json ? `${JSON.stringify(line)}\n` : formatEvent(line, pipelines.length > 1, style))
    }
  }
  io.err('The connection was closed: Headgate has exited, or has closed a tap that was not read.\n')
  return undefined
}

const WHY: { readonly [why: string]: string } = {
  stopping: 'Headgate is stopping.',
  failed: 'Headgate cannot show this event; its log has the reason.',
}

/** The lines of a tap, as they arrive. */
export async function* linesOf(body: Readable): AsyncGenerator<TapLine> {
  let incomplete = ''
  body.setEncoding('utf8')
  for await (const chunk of body) {
    const lines = `${incomplete}${chunk}`.split('\n')
    incomplete = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as TapLine
  }
}

const STYLES = {
  accepted: 'green',
  delivered: 'green',
  duplicate: 'dim',
  dropped: 'dim',
  'dead-lettered': 'yellow',
  handshake: 'green',
  rejected: 'red',
  limited: 'yellow',
  unavailable: 'red',
} as const
const WIDEST = 'dead-lettered'.length

/** An event as one line, and a second one with the body if it was requested. */
export function formatEvent(event: TapEvent, withPipeline: boolean, style: Style): string {
  const { time, pipeline, id, outcome, remoteAddress, ms, code, message } = event
  const destination = destinationOf(event)
  const parts = [
    time,
    ...(withPipeline ? [pipeline] : []),
    style(STYLES[outcome], outcome.padEnd(WIDEST)),
    id === undefined ? '(no id)' : printable(id),
    ...(remoteAddress === undefined ? [] : [`from ${remoteAddress}`]),
    ...(destination === '' ? [] : [printable(destination)]),
    `${ms} ms`,
    ...(code === undefined ? [] : [`${style('bold', code)}: ${printable(message ?? '')}`]),
  ]
  return `${[parts.join('  '), ...bodyOf(event)].join('\n')}\n`
}

/** Such as `high-priority -> topic/0@12`. */
function destinationOf({ route, topic, partition, offset }: TapEvent): string {
  const position = topic === undefined ? [] : [`${topic}/${partition}@${offset}`]
  return [...(route === undefined ? [] : [route]), ...position].join(' -> ')
}

function bodyOf({ payload, cut, bytes = 0 }: TapEvent): string[] {
  if (payload === undefined) return []
  return [
    `    ${printable(payload)}${cut === true ? `... (${bytes.toLocaleString('en-US')} bytes in all)` : ''}`,
  ]
}
