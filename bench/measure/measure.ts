import { setTimeout as delay } from 'node:timers/promises'
import { WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { type Generator, startGenerator } from '../load/generator.js'
import type { LoadOrder, LoadResult } from '../load/load-order.js'
import { type Load, OPEN_LOOP_CONNECTIONS } from '../load/loads.js'
import { eventsOf } from '../load/requests.js'
import type { Environment } from '../programs/environment.js'
import type { Program, Running } from '../programs/programs.js'
import { type Delays, readDelays, since, together } from './delays.js'
import { spread } from './statistics.js'
import { type Backlog, inAll, processFigures, watch } from './watch.js'

/** One program under one load, in one round. */
export interface Sample extends Driven {
  readonly program: string
  readonly load: string
  readonly round: number
}

/** The effect of a load on a program. */
export interface Driven {
  /** Events with status 200 that are acknowledged. */
  readonly events: number
  /** Acknowledged, from the first request to the last acknowledgement. */
  readonly eventsPerSecond: number
  /** Microseconds, user and system, all threads. */
  readonly cpuPerEvent: number
  /** The part of the process itself, without its workers. */
  readonly primaryCpuPerEvent: number
  /** The part of the process with the largest share. */
  readonly busiestCpuPerEvent: number
  /** Milliseconds from request to response; at a fixed rate from the time at which the request was due. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** MiB: resident, and the part of it that is not mapped from a file. */
  readonly peakRss: number
  readonly peakOwn: number
  readonly backlog: Backlog
  /** The load generator's share of one core. */
  readonly generatorLoad: number
  /**
   * At a fixed rate: the delay of the generator in milliseconds, and the share of events that waited for a
   * connection.
   */
  readonly lateP99: number
  readonly queued: number
  readonly refused: LoadResult['refused']
  /** From the acceptance of an event to its delivery, by the metrics of the instances; empty without an inbox. */
  readonly delays: Delays
}

/** A program without events. */
export interface Rest {
  readonly program: string
  /** Percent of one core, after a load. */
  readonly idleCpu: number
  /** Records a second that were read back at the start; undefined if there were too few. */
  readonly readBack: number | undefined
}

export interface Plan {
  readonly loads: readonly Load[]
  /** The number of turns of each program under each load, in alternation with the others. */
  readonly turns: number
  /** Until it has had so many events, or for four times as long. */
  readonly warmUp: { readonly seconds: number; readonly events: number }
  readonly bodyBytes: number
  readonly paths?: readonly string[]
  readonly payloads?: readonly string[]
  /** 0: idleness is not measured. */
  readonly idleSeconds: number
  /** Reads the metrics of an inbox before and after each load. */
  readonly delays?: boolean
}

/** A third of the events for each rule of the benchmark's config. */
export const PAYLOADS = [
  '"priority":"high","region":"us-east"',
  '"priority":"low","region":"eu-west"',
  '"priority":"low","region":"us-east"',
]
const MOST_WARM_UPS = 4
const POLL = 5
const ACKNOWLEDGED_WITHIN = 60_000
/** Milliseconds after the last acknowledgement: deferred work of a program is not idleness. */
const CALM_DOWN = 2000

/** Ids of events differ from those of all other runs: an event that was seen before is a duplicate, and cheap. */
let runs = 0

interface Contender {
  readonly program: Program
  readonly running: Running
  readonly generator: Generator
}

/**
 * Starts all programs, warms them up, and measures them under each load in short turns, so that noise of the machine
 * affects all of them alike.
 */
export async function measure(
  programs: readonly Program[],
  round: number,
  plan: Plan,
  environment: Environment,
): Promise<{ readonly samples: readonly Sample[]; readonly rests: readonly Rest[] }> {
  return whileRunning(programs, environment, async (contenders) => {
    const { loads, turns, bodyBytes, paths = [WEBHOOK_PATH], payloads = PAYLOADS } = plan
    const [first] = loads
    const drive = (
      { program, running, generator }: Contender,
      load: Load,
      seconds: number,
      saturated: number,
    ) => {
      const { ports } = running
      const { requests } = program
      const { token } = environment
      const order = {
        ports,
        token,
        requests,
        bodyBytes,
        paths,
        payloads,
        ...pacing(load, ports.length, saturated, eventsOf(requests)),
      }
      const measured = plan.delays ? running : { ...running, admins: [] }
      return driveAt(measured, generator, environment, { ...order, name: `run${runs++}`, seconds })
    }
    for (const contender of contenders)
      if (first !== undefined)
        await warmUp(plan.warmUp.events, () => drive(contender, first, plan.warmUp.seconds, 0))
    const samples: Sample[] = []
    for (const load of loads) {
      const driven = new Map(contenders.map((contender) => [contender, [] as Driven[]]))
      for (let turn = 0; turn < turns; turn++) {
        // Each goes first in turn, so that after-effects of one do not always burden the same other one.
        for (const contender of (round + turn) % 2 === 0 ? contenders : contenders.toReversed()) {
          const saturated = samples.find(({ program }) => program === contender.program.name)
          const part = await drive(contender, load, load.seconds / turns, saturated?.eventsPerSecond ?? 0)
          driven.get(contender)?.push(part)
        }
      }
      for (const [{ program }, parts] of driven)
        samples.push({ program: program.name, load: load.name, round, ...combine(parts) })
    }
    const rests: Rest[] = []
    for (const { program, running } of plan.idleSeconds === 0 ? [] : contenders) {
      const idleCpu = await idlePercent(running.pids, plan.idleSeconds)
      rests.push({ program: program.name, idleCpu, readBack: running.readBack })
    }
    return { samples, rests }
  })
}

/** Reports the first error: a program that is stopped in the middle may fail as a consequence. */
async function whileRunning<Found>(
  programs: readonly Program[],
  environment: Environment,
  look: (contenders: readonly Contender[]) => Promise<Found>,
): Promise<Found> {
  const contenders: Contender[] = []
  const stop = async () => {
    for (const { generator, running } of contenders.splice(0)) {
      await generator.stop()
      await running.stop()
    }
  }
  try {
    for (const program of programs) {
      const running = await program.start(environment.env)
      contenders.push({ program, running, generator: startGenerator() })
    }
    const found = await look(contenders)
    await stop()
    return found
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

/** V8 compiles code by how often it ran, which takes more time on a busy machine. */
async function warmUp(enough: number, drive: () => Promise<Driven>): Promise<void> {
  for (let time = 0, events = 0; time < MOST_WARM_UPS && events < enough; time++)
    events += (await drive()).events
}

function pacing(
  { pace }: Load,
  instances: number,
  saturated: number,
  eventsEach: number,
): Pick<LoadOrder, 'connections' | 'rate'> {
  if (pace.kind === 'in flight') return { connections: Math.ceil((pace.count * instances) / eventsEach) }
  if (pace.kind === 'share') return { connections: OPEN_LOOP_CONNECTIONS, rate: pace.of * saturated }
  const rate = pace.each ? pace.perSecond * instances : pace.perSecond
  return { connections: OPEN_LOOP_CONNECTIONS, rate }
}

/** Sends a load and waits until every event with status 200 is acknowledged. */
async function driveAt(
  { pids, admins }: Running,
  generator: Generator,
  environment: Environment,
  order: LoadOrder,
): Promise<Driven> {
  const before = await environment.acknowledged()
  const cpuBefore = processFigures(pids)
  const delaysBefore = await readDelays(admins)
  const run = generator.run(order)
  const watched = await watch(pids, generator, environment, before, run)
  const result = await run
  const settling = await allAcknowledged(result.delivered, before, environment)
  const cpuAfter = processFigures(pids)
  const delays = since(delaysBefore, await readDelays(admins))
  const cpuOf = (member: number) =>
    ((cpuAfter.cpuOf.get(member) ?? 0) - (cpuBefore.cpuOf.get(member) ?? 0)) / result.delivered
  return {
    events: result.delivered,
    eventsPerSecond: result.delivered / (result.seconds + settling),
    cpuPerEvent: (cpuAfter.cpu - cpuBefore.cpu) / result.delivered,
    primaryCpuPerEvent: Math.max(...pids.map(cpuOf)),
    busiestCpuPerEvent: Math.max(...[...cpuAfter.cpuOf.keys()].map(cpuOf)),
    p50: result.p50,
    p99: result.p99,
    p999: result.p999,
    ...watched,
    generatorLoad: result.cpu / result.seconds,
    lateP99: result.lateP99,
    queued: result.queued,
    refused: result.refused,
    delays,
  }
}

/** Resolves with the seconds that it took. */
export async function allAcknowledged(
  delivered: number,
  before: number,
  environment: Environment,
): Promise<number> {
  const sent = performance.now()
  for (;;) {
    const settling = performance.now() - sent
    const acknowledged = (await environment.acknowledged()) - before
    if (acknowledged >= delivered) return settling / 1000
    if (settling > ACKNOWLEDGED_WITHIN)
      throw new Error(`Of ${delivered} events delivered, only ${acknowledged} were acknowledged in time.`)
    await delay(POLL)
  }
}

async function idlePercent(pids: readonly number[], seconds: number): Promise<number> {
  await delay(CALM_DOWN)
  const before = processFigures(pids).cpu
  await delay(seconds * 1000)
  return (processFigures(pids).cpu - before) / seconds / 10_000
}

/** The turns of a program under one load, combined into one. */
export function combine(turns: readonly Driven[]): Driven {
  const sum = (of: (turn: Driven) => number) => turns.reduce((total, turn) => total + of(turn), 0)
  const events = sum((turn) => turn.events)
  const perEvent = (of: (turn: Driven) => number) => sum((turn) => of(turn) * turn.events) / events
  const middle = (of: (turn: Driven) => number) => spread(turns.map(of)).median
  const greatest = (of: (turn: Driven) => number) => Math.max(...turns.map(of))
  const refused: { [status: string]: number } = {}
  for (const turn of turns)
    for (const [status, count] of Object.entries(turn.refused))
      refused[status] = (refused[status] ?? 0) + count
  return {
    events,
    eventsPerSecond: events / sum((turn) => turn.events / turn.eventsPerSecond),
    cpuPerEvent: perEvent((turn) => turn.cpuPerEvent),
    primaryCpuPerEvent: perEvent((turn) => turn.primaryCpuPerEvent),
    busiestCpuPerEvent: perEvent((turn) => turn.busiestCpuPerEvent),
    p50: middle((turn) => turn.p50),
    p99: middle((turn) => turn.p99),
    p999: middle((turn) => turn.p999),
    peakRss: greatest((turn) => turn.peakRss),
    peakOwn: greatest((turn) => turn.peakOwn),
    backlog: inAll(turns.map(({ backlog }) => backlog)),
    generatorLoad: perEvent((turn) => turn.generatorLoad),
    lateP99: greatest((turn) => turn.lateP99),
    queued: perEvent((turn) => turn.queued),
    refused,
    delays: turns.map(({ delays }) => delays).reduce(together),
  }
}
