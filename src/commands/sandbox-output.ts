import type { Exit } from '../sandbox/headgate-process.js'
import type { ReadRecord } from '../sandbox/reader.js'

/** Log lines of Headgate that are shown when it fails. */
export const LINES_SHOWN = 20

export function recordLine({ topic, partition, offset, key, headers }: ReadRecord): string {
  const route = headers['headgate-route'] ?? 'none'
  return `${topic}  partition ${partition}  offset ${offset}  key ${key ?? 'none'}  route ${route}\n`
}

export const failure = ({ code, signal }: Exit, lines: readonly string[]): string =>
  [`Headgate ended with ${signal ?? `exit code ${code}`}.`, ...lines.slice(-LINES_SHOWN), ''].join('\n')
