import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { nextMessage, startChild, stopChild } from './child.js'
import type { LoadOrder, LoadResult } from './load.js'
import type { Program } from './programs.js'
import type { Surroundings } from './surroundings.js'

/** One program under one load. */
export interface Sample {
  readonly program: string
  /** Answered 200 and acknowledged. */
  readonly events: number
  /** Acknowledged, from the first request to the last acknowledgement. */
  readonly eventsPerSecond: number
  /** Microseconds, user and system, all threads. */
  readonly cpuPerEvent: number
  /** Milliseconds from request to answer. */
  readonly p50: number
  readonly p99: number
  /** MiB. */
  readonly peakRss: number
  /** Share of one core that the load generator took. */
  readonly generatorLoad: number
  readonly refused: LoadResult['refused']
}

export interface Load {
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly inFlight: number
  readonly bodyBytes: number
}

/** Linux counts CPU time in hundredths of a second wherever user programs can see it. */
const TICK = 10_000
const POLL = 5
const ACKNOWLEDGED_WITHIN = 30_000

/** Starts the program, warms it up, and measures it. `round` makes the ids of its events unlike all others. */
export async function measure(
  program: Program,
  round: string,
  load: Load,
  around: Surroundings,
): Promise<Sample> {
  const running = await program.start(around.env)
  try {
    const order = {
      port: running.port,
      token: around.token,
      inFlight: load.inFlight,
      bodyBytes: load.bodyBytes,
    }
    await drive({ ...order, name: `${round}w`, seconds: load.warmUpSeconds }, around)
    const cpuBefore = cpuMicroseconds(running.pid)
    const result = await drive({ ...order, name: `${round}m`, seconds: load.seconds }, around)
    const cpu = cpuMicroseconds(running.pid) - cpuBefore
    return {
      program: program.name,
      events: result.delivered,
      eventsPerSecond: result.delivered / (result.seconds + result.settling),
      cpuPerEvent: cpu / result.delivered,
      p50: result.p50,
      p99: result.p99,
      peakRss: peakRss(running.pid),
      generatorLoad: result.cpu / result.seconds,
      refused: result.refused,
    }
  } finally {
    await running.stop()
  }
}

/** Sends a load and waits until all that was answered 200 has been acknowledged, which takes `settling` seconds more. */
async function drive(order: LoadOrder, around: Surroundings): Promise<LoadResult & { settling: number }> {
  const before = await around.acknowledged()
  const generator = startChild('load.js')
  try {
    const answer = nextMessage<LoadResult>(generator)
    generator.send(order)
    const result = await answer
    const sent = performance.now()
    for (;;) {
      const settling = performance.now() - sent
      const acknowledged = (await around.acknowledged()) - before
      if (acknowledged >= result.delivered) return { ...result, settling: settling / 1000 }
      if (settling > ACKNOWLEDGED_WITHIN)
        throw new Error(
          `Of ${result.delivered} events delivered, only ${acknowledged} were acknowledged in time.`,
        )
      await delay(POLL)
    }
  } finally {
    await stopChild(generator)
  }
}

function cpuMicroseconds(pid: number): number {
  // After the program's name, which may hold anything: utime and stime are fields 14 and 15 of the whole line.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK
}

function peakRss(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) / 1024
}
