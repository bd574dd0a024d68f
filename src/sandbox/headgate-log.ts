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

/** Collects what a process writes. */
export function followLog({ stdout, stderr }: ChildProcess): Log {
  const lines: string[] = []
  let listening: ReturnType<Log['listening']>
  for (const input of [stdout, stderr]) {
    if (input === null) continue
    createInterface({ input }).on('line', (line) => {
      lines.push(line)
      if (lines.length > LINES_KEPT) lines.shift()
      if (line.includes('"event":"listening"')) listening = JSON.parse(line)
    })
  }
  return { lines, listening: () => listening }
}
