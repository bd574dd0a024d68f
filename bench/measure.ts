import { setTimeout as delay } from 'node:timers/promises'
import { WEBHOOK_PATH } from '../src/sandbox/routes.js'
import { type Generator, startGenerator } from './generator.js'
import type { LoadOrder, LoadResult } from './load-order.js'
import { type Load, OPEN_LOOP_CONNECTIONS } from './loads.js'
import { processFigures } from './process-figures.js'
import type { Program, Running } from './programs.js'
import type { Surroundings } from './surroundings.js'
import { type Backlog, watch } from './watch.js'

/** One program under one load. */
export interface Sample {
  readonly program: string
  readonly load: string
  readonly round: number
  /** Answered 200 and acknowledged. */
  readonly events: number
  /** Acknowledged, from the first request to the last acknowledgement. */
  readonly eventsPerSecond: number
  /** Microseconds, user and system, all threads. */
  readonly cpuPerEvent: number
  /** The part of it that the process itself took, and not its workers. */
  readonly primaryCpuPerEvent: number
  /** The part of it that the process took which took most. */
  readonly busiestCpuPerEvent: number
  /** Milliseconds from request to answer; at a fixed rate from when the request was due. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** MiB: resident, and of that what is not mapped from a file. */
  readonly peakRss: number
  readonly peakOwn: number
  readonly backlog: Backlog
  /** Share of one core that the load generator took. */
  readonly generatorLoad: number
  /** At a fixed rate: how late the generator was, in milliseconds, and which share of events waited for a connection. */
  readonly lateP99: number
  readonly queued: number
  readonly refused: LoadResult['refused']
}

/** What a program does without events. */
export interface Rest {
  readonly program: string
  /** Percent of one core, after it has worked. */
  readonly idleCpu: number
  /** Records a second that were read back at the start; undefined where there were none to speak of. */
  readonly readBack: number | undefined
}

export interface Plan {
  readonly loads: readonly Load[]
  readonly warmUpSeconds: number
  readonly bodyBytes: number
  readonly paths?: readonly string[]
  readonly payloads?: readonly string[]
  /** 0: idleness is not measured. */
  readonly idleSeconds: number
}

/** A third of the events for each rule of the benchmark's config. */
export const PAYLOADS = [
  '"priority":"high","region":"us-east"',
  '"priority":"low","region":"eu-west"',
  '"priority":"low","region":"us-east"',
]
const WARM_UP_EVENTS = 10_000
const MOST_WARM_UPS = 4
const POLL = 5
const ACKNOWLEDGED_WITHIN = 60_000
/** Milliseconds after the last acknowledgement: what a program puts off is not idleness. */
const CALM_DOWN = 2000

/** Ids of events are unlike those of all other runs: what comes again with the same bytes is a duplicate, and cheap. */
let runs = 0

/** Starts the program, warms it up, and measures it under each load. */
export async function measure(
  program: Program,
  round: number,
  plan: Plan,
  around: Surroundings,
): Promise<{ readonly samples: readonly Sample[]; readonly rest: Rest | undefined }> {
  return whileRunning(program, around, async (running, generator) => {
    const { bodyBytes, paths = [WEBHOOK_PATH], payloads = PAYLOADS } = plan
    const order = { port: running.port, token: around.token, bodyBytes, paths, payloads }
    const drive = (load: Load, name: string, saturated: number) =>
      driveAt(running, generator, around, {
        ...order,
        ...pacing(load, saturated),
        name,
        seconds: load.seconds,
      })
    const word = `run${runs++}`
    const [first] = plan.loads
    if (first !== undefined)
      await warmUp((time) => drive({ ...first, seconds: plan.warmUpSeconds }, `${word}w${time}`, 0))
    const samples: Sample[] = []
    for (const [index, load] of plan.loads.entries()) {
      const driven = await drive(load, `${word}m${index}`, samples[0]?.eventsPerSecond ?? 0)
      samples.push({ program: program.name, load: load.name, round, ...driven })
    }
    if (plan.idleSeconds === 0) return { samples, rest: undefined }
    const idleCpu = await idlePercent(running.pid, plan.idleSeconds)
    return { samples, rest: { program: program.name, idleCpu, readBack: running.readBack } }
  })
}

/** What goes wrong first is what is told: a program that is stopped in the middle of it may end badly, too. */
async function whileRunning<Found>(
  program: Program,
  around: Surroundings,
  look: (running: Running, generator: Generator) => Promise<Found>,
): Promise<Found> {
  const running = await program.start(around.env)
  const generator = startGenerator()
  const stop = async () => {
    await generator.stop()
    await running.stop()
  }
  try {
    const found = await look(running, generator)
    await stop()
    return found
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

/** Code is compiled by how often it ran, and on a busy machine that takes more time. */
async function warmUp(drive: (time: number) => Promise<{ readonly events: number }>): Promise<void> {
  for (let time = 0, events = 0; time < MOST_WARM_UPS && events < WARM_UP_EVENTS; time++)
    events += (await drive(time)).events
}

function pacing({ pace }: Load, saturated: number): Pick<LoadOrder, 'connections' | 'rate'> {
  if (pace.kind === 'in flight') return { connections: pace.count }
  const rate = pace.kind === 'rate' ? pace.perSecond : pace.of * saturated
  return { connections: OPEN_LOOP_CONNECTIONS, rate }
}

/** Sends a load and waits until all that was answered 200 has been acknowledged. */
async function driveAt(
  { pid }: Running,
  generator: Generator,
  around: Surroundings,
  order: LoadOrder,
): Promise<Omit<Sample, 'program' | 'load' | 'round'>> {
  const before = await around.acknowledged()
  const cpuBefore = processFigures(pid)
  const run = generator.run(order)
  const watched = await watch(pid, generator, around, before, run)
  const result = await run
  const settling = await allAcknowledged(result.delivered, before, around)
  const cpuAfter = processFigures(pid)
  const cpuOf = (member: number) =>
    ((cpuAfter.cpuOf.get(member) ?? 0) - (cpuBefore.cpuOf.get(member) ?? 0)) / result.delivered
  return {
    events: result.delivered,
    eventsPerSecond: result.delivered / (result.seconds + settling),
    cpuPerEvent: (cpuAfter.cpu - cpuBefore.cpu) / result.delivered,
    primaryCpuPerEvent: cpuOf(pid),
    busiestCpuPerEvent: Math.max(...[...cpuAfter.cpuOf.keys()].map(cpuOf)),
    p50: result.p50,
    p99: result.p99,
    p999: result.p999,
    ...watched,
    generatorLoad: result.cpu / result.seconds,
    lateP99: result.lateP99,
    queued: result.queued,
    refused: result.refused,
  }
}

/** Resolves with how many seconds that took. */
export async function allAcknowledged(
  delivered: number,
  before: number,
  around: Surroundings,
): Promise<number> {
  const sent = performance.now()
  for (;;) {
    const settling = performance.now() - sent
    const acknowledged = (await around.acknowledged()) - before
    if (acknowledged >= delivered) return settling / 1000
    if (settling > ACKNOWLEDGED_WITHIN)
      throw new Error(`Of ${delivered} events delivered, only ${acknowledged} were acknowledged in time.`)
    await delay(POLL)
  }
}

async function idlePercent(pid: number, seconds: number): Promise<number> {
  await delay(CALM_DOWN)
  const before = processFigures(pid).cpu
  await delay(seconds * 1000)
  return (processFigures(pid).cpu - before) / seconds / 10_000
}
