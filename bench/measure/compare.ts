import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from '../programs/environment.js'
import type { Program } from '../programs/programs.js'
import {
  doubtsOf,
  type Machine,
  machineOf,
  type Ratio,
  type RestSummary,
  ratioOf,
  type Summary,
  summarize,
  summarizeRest,
} from './figures.js'
import { measure, type Plan, type Rest, type Sample } from './measure.js'

/** Programs in alternation, under the same loads. */
export interface Comparison {
  readonly machine: Machine
  readonly rounds: number
  readonly seconds: number
  readonly inFlight: number
  readonly bodyBytes: number
  readonly summaries: readonly Summary[]
  readonly ratios: readonly Ratio[]
  readonly rests: readonly RestSummary[]
  /** True if events were refused. A refused event costs less than a delivered one, so the figures say little. */
  readonly refused: boolean
  readonly doubts: readonly string[]
}

/** Measures every program in every round, and compares the pairs in `bases`. */
export async function compare(
  programs: readonly Program[],
  bases: readonly (readonly [program: string, base: string])[],
  plan: Plan & { readonly rounds: number; readonly seconds: number; readonly inFlight: number },
  environment: Environment,
): Promise<Comparison> {
  const { rounds, seconds, inFlight, bodyBytes } = plan
  const samples: Sample[] = []
  const rests: Rest[] = []
  const resting = plan.idleSeconds > 0
  const starts = resting ? await measureStarts(programs, environment) : []
  for (let round = 0; round < rounds; round++) {
    const measured = await measure(programs, round, plan, environment)
    samples.push(...measured.samples)
    rests.push(...measured.rests)
    for (const { program, load, cpuPerEvent } of measured.samples)
      console.error(`round ${round + 1}: ${program}, ${load}: ${cpuPerEvent.toFixed(0)} us CPU an event`)
  }
  const loads = plan.loads.map(({ name }) => name)
  return {
    machine: machineOf(environment.kafka),
    rounds,
    seconds,
    inFlight,
    bodyBytes,
    summaries: loads.flatMap((load) => programs.map(({ name }) => summarize(samples, load, name))),
    ratios: loads.flatMap((load) => bases.map(([name, base]) => ratioOf(samples, load, name, base))),
    rests: resting ? programs.map(({ name }) => summarizeRest(starts, rests, name)) : [],
    refused: samples.some(({ refused }) => Object.keys(refused).length > 0),
    doubts: doubtsOf(samples),
  }
}

export interface Start {
  readonly program: string
  /** Seconds from the start of the process until it accepts events. */
  readonly readyAfter: number
  /** The first in its state directory; all others come after a stop in order. */
  readonly isFirst: boolean
}

/** State directories of each program, and how often it is started on each. */
const DIRECTORIES = 3
const TIMES = 2

/**
 * Starts the programs in alternation while the topics are empty: if they have records, Headgate reads those back
 * first.
 */
async function measureStarts(programs: readonly Program[], environment: Environment): Promise<Start[]> {
  const starts: Start[] = []
  const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  try {
    // Loads `fetch`, with which this process checks for readiness: it is loaded at its first use.
    await fetch('data:,')
    for (let turn = 0; turn < DIRECTORIES * TIMES; turn++) {
      for (const [index, program] of programs.entries()) {
        const before = performance.now()
        const running = await program.start({
          ...environment.env,
          HEADGATE_STATE_DIR: join(directory, `${index}-${Math.floor(turn / TIMES)}`),
        })
        const readyAfter = (performance.now() - before) / 1000
        starts.push({ program: program.name, readyAfter, isFirst: turn % TIMES === 0 })
        await running.stop()
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return starts
}
