import { Writable } from 'node:stream'
import pino from 'pino'
import type { PrettyStream } from 'pino-pretty'

export interface LogOptions {
  readonly level: string
  readonly format: 'auto' | 'json' | 'pretty'
  /** True where a person reads it. */
  readonly terminal: boolean
  write(text: string): void
}

export interface ProcessLog {
  readonly log: pino.Logger
  /** From now on every line passes through this. */
  redact(redact: (line: string) => string): void
  /** A line of JSON that another process has logged. */
  line(line: string): void
}

/** The log of the process: a line of JSON, or a readable one on a terminal. */
export async function createLog({ level, format, terminal, write }: LogOptions): Promise<ProcessLog> {
  let redact: (line: string) => string = (line) => line
  const sink = { write: (line: string) => write(redact(line)) }
  const readable = format === 'pretty' || (format === 'auto' && terminal)
  const destination = readable ? await readableLines(sink, terminal) : sink
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  return {
    log,
    redact(replacement) {
      redact = replacement
    },
    line: (line) => void destination.write(line),
  }
}

async function readableLines(sink: { write(line: string): void }, colorize: boolean): Promise<PrettyStream> {
  // Where a machine reads the log, nothing of it is needed, and the process starts without it.
  const { default: pretty } = await import('pino-pretty')
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
