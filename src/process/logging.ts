import { Writable } from 'node:stream'
import pino, { type Logger } from 'pino'
import type { Log } from '../contract/index.js'
import { printable, printableLines } from '../lib/terminal/text.js'

export interface LogOptions {
  readonly level: string
  readonly format: 'auto' | 'json' | 'pretty'
  /** True if a person reads it. */
  readonly terminal: boolean
  write(text: string): void
}

export interface ProcessLog {
  readonly log: pino.Logger
  /** Passes every line from now on through this function; a line of JSON has to remain valid JSON. */
  redact(redact: (line: string) => string): void
  /** Writes a line of JSON that another process has logged. */
  line(line: string): void
}

/** Logs a warning of Node.js itself, such as the one for a deprecated call in a plugin. */
export const warningLogger =
  (log: pino.Logger): ((warning: Error) => void) =>
  ({ name, message, stack }) =>
    log.warn({ event: 'node-warning', name, stack }, `Node.js warns: ${message}`)

/** Opens the log of the process: lines of JSON, or readable ones on a terminal. */
export async function createLog({ level, format, terminal, write }: LogOptions): Promise<ProcessLog> {
  let redact: (line: string) => string = (line) => line
  const readable = format === 'pretty' || (format === 'auto' && terminal)
  const writeLine = readable ? await readableLines(write, terminal) : (line: string) => write(escaped(line))
  // Redacted as JSON in either format, because the forms of a secret in JSON are known.
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
 * Senders can put characters into log lines that move the cursor of a terminal or reverse the direction of text. JSON does not
 * escape those from U+007F on; escaping them does not change the values.
 */
const escaped = (line: string): string => printableLines(line)

async function readableLines(
  write: (text: string) => void,
  colorize: boolean,
): Promise<(line: string) => void> {
  // Loaded only if needed: a start with a JSON log is faster without it.
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
  // pino-pretty does not escape texts and names: a line end in one would begin a new log line.
  return (line) => void stream.write(`${JSON.stringify(readable(JSON.parse(line)))}\n`)
}

/** The same value with all texts and names on one line, except stacks. */
function readable(value: unknown, name?: string): unknown {
  if (typeof value === 'string') return name === 'stack' ? printableLines(value) : printable(value)
  if (Array.isArray(value)) return value.map((item) => readable(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [printable(key), readable(inner, key)]),
  )
}

export interface LoggerLevel {
  /** One of the levels of pino. */
  readonly level: string
  /** Milliseconds since the epoch; undefined if the level has not changed since the start. */
  readonly changedAt: number | undefined
}

/** An operator's view of the loggers. */
export type LoggerLevels = Pick<Loggers, 'levels' | 'set'>

/** The loggers of the process, by names whose levels can be changed: `root`, `PIPELINE`, `PIPELINE.STAGE`. */
export class Loggers {
  readonly #root: Logger
  readonly #initial: string
  readonly #changed = new Map<string, { readonly level: string; readonly changedAt: number }>()
  /** Weak: a reload replaces stages and their logs. */
  readonly #alive: Map<string, Set<WeakRef<Logger>>>

  constructor(root: Logger) {
    this.#root = root
    this.#initial = root.level
    this.#alive = new Map([['root', new Set([new WeakRef(root)])]])
  }

  /** A log with these fields on every line, at the level last set for its name. An arrow function, because callers pass it on. */
  readonly of = (fields: { readonly [name: string]: string }): Log => {
    const name = nameOf(fields)
    const log = this.#root.child(fields, { level: this.#levelOf(name).level })
    this.#names()
    this.#alive.set(name, (this.#alive.get(name) ?? new Set()).add(new WeakRef(log)))
    return log
  }

  levels(): ReadonlyMap<string, LoggerLevel> {
    return new Map(this.#names().map((name) => [name, this.#levelOf(name)]))
  }

  /** Sets the level of a logger and of all below it, those of later configs included. Returns their names. */
  set(name: string, level: string): string[] {
    for (const below of [...this.#changed.keys()]) if (isBelow(below, name)) this.#changed.delete(below)
    this.#changed.set(name, { level, changedAt: Date.now() })
    const names = this.#names().filter((other) => isBelow(other, name))
    for (const each of names) {
      for (const reference of this.#alive.get(each) ?? []) {
        const log = reference.deref()
        if (log !== undefined) log.level = level
      }
    }
    return names
  }

  #levelOf(name: string): LoggerLevel {
    const levels = [...this.#changed].filter(([above]) => isBelow(name, above)).map(([, level]) => level)
    return levels.at(-1) ?? { level: this.#initial, changedAt: undefined }
  }

  /** The names of the loggers that still exist. */
  #names(): string[] {
    for (const [name, logs] of this.#alive) {
      for (const log of logs) if (log.deref() === undefined) logs.delete(log)
      if (logs.size === 0) this.#alive.delete(name)
    }
    return [...this.#alive.keys()]
  }
}

const isBelow = (name: string, above: string): boolean =>
  above === 'root' || name === above || name.startsWith(`${above}.`)

const nameOf = ({ pipeline, stage }: { readonly [name: string]: string }): string =>
  [pipeline, stage].filter((part) => part !== undefined).join('.') || 'root'
