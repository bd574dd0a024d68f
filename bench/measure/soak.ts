import { setTimeout as delay } from 'node:timers/promises'
import { WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { startGenerator } from '../load/generator.js'
import { BODY_BYTES } from '../load/loads.js'
import type { Environment } from '../programs/environment.js'
import type { Program } from '../programs/programs.js'
import { type Machine, machineOf } from './figures.js'
import { allAcknowledged, PAYLOADS } from './measure.js'
import { type Growth, judgeGrowth, type Point } from './statistics.js'
import { processFigures } from './watch.js'

/** Measures whether memory stays flat over many events. */
export interface SoakFigures {
  readonly machine: Machine
  readonly events: number
  readonly inFlight: number
  readonly seconds: number
  readonly refused: { readonly [status: string]: number }
  readonly peakRss: number
  readonly peakOwn: number
  readonly peakBacklog: number
  readonly rss: Growth
  /** The part that is not mapped from a file: a leak shows there first. */
  readonly own: Growth
  readonly heap: Growth
}

/** Milliseconds. */
const EVERY = 1000
const MIB = 2 ** 20
const DAY = 86_400

/** Sends events as fast as they are accepted, and records memory by the number of responses. */
export async function soak(
  program: Program,
  { events, inFlight }: { readonly events: number; readonly inFlight: number },
  environment: Environment,
): Promise<SoakFigures> {
  const running = await program.start(environment.env)
  const generator = startGenerator()
  try {
    const before = await environment.acknowledged()
    const order = { ports: running.ports, token: environment.token, bodyBytes: BODY_BYTES, name: 'soak' }
    const run = generator.run({
      ...order,
      paths: [WEBHOOK_PATH],
      payloads: PAYLOADS,
      connections: inFlight,
      seconds: DAY,
      events,
    })
    const rss: Point[] = []
    const own: Point[] = []
    const heap: Point[] = []
    let peakBacklog = 0
    let over = false
    const end = () => {
      over = true
    }
    run.then(end, end)
    while (!over) {
      const delivered = await generator.delivered()
      const million = delivered / 1e6
      const metrics = await scrape(running.admins[0])
      if (over) break
      const memory = processFigures(running.pids)
      rss.push([million, memory.rss])
      own.push([million, memory.own])
      heap.push([million, metrics('nodejs_heap_size_used_bytes') / MIB])
      peakBacklog = Math.max(peakBacklog, metrics('headgate_ledger_pending'))
      if (rss.length % 60 === 0)
        console.error(`${million.toFixed(2)} million, ${rss.at(-1)?.[1].toFixed(0)} MiB`)
      await delay(EVERY)
    }
    const { delivered, seconds, refused } = await run
    await allAcknowledged(delivered, before, environment)
    return {
      machine: machineOf(environment.kafka),
      events: delivered,
      inFlight,
      seconds,
      refused,
      peakRss: Math.max(...rss.map(([, mib]) => mib)),
      peakOwn: Math.max(...own.map(([, mib]) => mib)),
      peakBacklog,
      rss: judgeGrowth(rss),
      own: judgeGrowth(own),
      heap: judgeGrowth(heap),
    }
  } finally {
    await generator.stop()
    await running.stop()
  }
}

/** Reads a metric of the process: the sum of its series. */
async function scrape(admin: string | undefined): Promise<(name: string) => number> {
  const text = await (await fetch(new URL('/metrics', admin))).text()
  return (name) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0)
}
