import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Of a process, at a moment. */
export interface Usage {
  readonly threads: number
  readonly descriptors: number
  /** Established connections to the broker. */
  readonly connections: number
}

/** `port`: that of the broker. */
export function usageOf(pid: number, port: number): Usage {
  const links = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return []
    }
  })
  const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const connections = readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((row) => row[2]?.endsWith(remote) && row[3] === '01' && sockets.has(row[9] ?? ''))
  return {
    threads: readdirSync(`/proc/${pid}/task`).length,
    descriptors: links.length,
    connections: connections.length,
  }
}
