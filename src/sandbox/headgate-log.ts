import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

const LINES_KEPT = 5000

/** The log of a Headgate process in JSON lines. */
export interface Log {
  /** In order; the oldest go. */
  readonly lines: readonly string[]
  /** Base URLs of the listeners, once it has said them. */
  listening(): { readonly intake: string; readonly admin: string } | undefined
}

/**
 * What a line says of a config that was edited while Headgate runs: that it was taken, or why not. Undefined for other lines,
 * and for those that are no JSON.
 */
export function configNews(line: string): string | undefined {
  if (!line.includes('"event":"config"') && !line.includes('the new config was not taken')) return undefined
  try {
    const { level, msg } = JSON.parse(line) as { readonly level: string; readonly msg: string }
    return level === 'debug' ? undefined : msg
  } catch {
    return undefined
  }
}

/** Collects what a process writes; `onLine` is called with each line. */
export function followLog({ stdout, stderr }: ChildProcess, onLine: (line: string) => void = () => {}): Log {
  const lines: string[] = []
  let listening: ReturnType<Log['listening']>
  for (const input of [stdout, stderr]) {
    if (input === null) continue
    createInterface({ input }).on('line', (line) => {
      lines.push(line)
      onLine(line)
      if (lines.length > LINES_KEPT) lines.shift()
      if (line.includes('"event":"listening"')) listening = JSON.parse(line)
    })
  }
  return { lines, listening: () => listening }
}
