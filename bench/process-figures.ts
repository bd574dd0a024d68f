import { readdirSync, readFileSync } from 'node:fs'

/** What Linux says of a process and of those that it has started: the workers of a program are part of it. */
export interface ProcessFigures {
  /** Since its start, in microseconds: user and system, all threads. Known to a hundredth of a second. */
  readonly cpu: number
  /** That of each process alone, by its id. */
  readonly cpuOf: ReadonlyMap<number, number>
  /** Resident memory in MiB. */
  readonly rss: number
  /** Of that, what is not mapped from a file: the kernel takes pages of files back when it needs them. */
  readonly own: number
}

/** Linux counts CPU time in hundredths of a second wherever user programs can see it. */
const TICK = 10_000

export function processFigures(pid: number): ProcessFigures {
  const all = familyOf(pid)
  const cpuOf = new Map(all.map((member) => [member, cpuMicroseconds(member)]))
  return {
    cpu: [...cpuOf.values()].reduce((total, cpu) => total + cpu, 0),
    cpuOf,
    rss: all.reduce((total, member) => total + residentMib(member, 'VmRSS'), 0),
    own: all.reduce((total, member) => total + residentMib(member, 'RssAnon'), 0),
  }
}

function familyOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
    .filter((text) => text !== '')
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))]
}

function cpuMicroseconds(pid: number): number {
  // After the program's name, which may hold anything: utime and stime are fields 14 and 15 of the whole line.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK
}

function residentMib(pid: number, which: 'VmRSS' | 'RssAnon'): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${which}:`))
  return Number(line?.match(/\d+/)?.[0]) / 1024
}
