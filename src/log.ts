import { Writable } from 'node:stream'
import pino from 'pino'
import pretty from 'pino-pretty'

export interface LogOptions {
  readonly level: string
  readonly format: 'auto' | 'json' | 'pretty'
  /** True where a person reads it. */
  readonly terminal: boolean
  write(text: string): void
}

export interface ProcessLog {
  readonly log: pino.Logger
  /** From now on these values never appear in a line: what may be shown instead stands in their place. */
  hide(secrets: ReadonlyMap<string, string>): void
}

/** Shorter values are not looked for: a `1` behind a reference would blank every 1 of a line. */
const SHORTEST_SECRET = 4

/** The log of the process: a line of JSON, or a readable one on a terminal. Secrets are replaced in the finished line. */
export function createLog({ level, format, terminal, write }: LogOptions): ProcessLog {
  let hidden: (line: string) => string = (line) => line
  const sink = { write: (line: string) => write(hidden(line)) }
  const readable = format === 'pretty' || (format === 'auto' && terminal)
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    readable ? readableLines(sink, terminal) : sink,
  )
  return {
    log,
    hide(secrets) {
      hidden = hider(secrets)
    },
  }
}

function readableLines(sink: { write(line: string): void }, colorize: boolean): pretty.PrettyStream {
  const destination = new Writable({
    write(chunk, _encoding, done) {
      sink.write(String(chunk))
      done()
    },
  })
  return pretty({
    colorize,
    destination,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    ignore: 'event',
    sync: true,
  })
}

/** Values are looked for as they stand in JSON, where quotes and line ends are escaped. */
function hider(secrets: ReadonlyMap<string, string>): (line: string) => string {
  const known = [...secrets]
    .filter(([value]) => value.length >= SHORTEST_SECRET)
    .flatMap(([value, shown]) =>
      [value, JSON.stringify(value).slice(1, -1)].map((form) => [form, shown] as const),
    )
    .sort(([a], [b]) => b.length - a.length)
  return (line) => known.reduce((text, [value, shown]) => text.replaceAll(value, shown), line)
}
