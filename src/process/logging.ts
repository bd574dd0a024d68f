import { Writable } from 'node:stream'
import pino from 'pino'
import { printable, printableLines } from '../lib/terminal/printable.js'

export interface LogOptions {
  readonly level: string
  readonly format: 'auto' | 'json' | 'pretty'
  /** True where a person reads it. */
  readonly terminal: boolean
  write(text: string): void
}

export interface ProcessLog {
  readonly log: pino.Logger
  /** From now on every line passes through this; a line of JSON should stay one. */
  redact(redact: (line: string) => string): void
  /** A line of JSON that another process has logged. */
  line(line: string): void
}

/** Logs a warning of Node.js itself, such as that of a deprecated call in a plugin. */
export const warningLogger =
  (log: pino.Logger): ((warning: Error) => void) =>
  ({ name, message, stack }) =>
    log.warn({ event: 'node-warning', name, stack }, `Node.js warns: ${message}`)

/** The log of the process: a line of JSON, or a readable one on a terminal. */
export async function createLog({ level, format, terminal, write }: LogOptions): Promise<ProcessLog> {
  let redact: (line: string) => string = (line) => line
  const readable = format === 'pretty' || (format === 'auto' && terminal)
  const writeLine = readable ? await readableLines(write, terminal) : (line: string) => write(escaped(line))
  // As JSON in either format: there a secret has a form that is known, whatever a terminal makes of it.
  const destination = { write: (line: string) => writeLine(redact(line)) }
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

/**
 * Senders can put characters into what is logged that move the cursor of a terminal or turn the writing around. JSON leaves
 * those from U+007F on as they are; escaped, they read back as the same.
 */
const escaped = (line: string): string => printableLines(line)

async function readableLines(
  write: (text: string) => void,
  colorize: boolean,
): Promise<(line: string) => void> {
  // Where a machine reads the log, nothing of it is needed, and the process starts without it.
  const { default: pretty } = await import('pino-pretty')
  const destination = new Writable({
    write(chunk, _encoding, done) {
      write(String(chunk))
      done()
    },
  })
  const stream = pretty({
    colorize,
    destination,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    ignore: 'event',
    sync: true,
  })
  // pino-pretty writes texts and names as they are: a line end in one would begin a line of its own.
  return (line) => void stream.write(`${JSON.stringify(readable(JSON.parse(line)))}\n`)
}

/** The same value with texts and names that stay on their line. A stack has several. */
function readable(value: unknown, name?: string): unknown {
  if (typeof value === 'string') return name === 'stack' ? printableLines(value) : printable(value)
  if (Array.isArray(value)) return value.map((item) => readable(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [printable(key), readable(inner, key)]),
  )
}
