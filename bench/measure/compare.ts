import { BODY_BYTES } from '../load/loads.js'
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
import { measureStarts } from './starts.js'

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

/** How much is measured. */
export interface Extent {
  readonly rounds: number
  readonly seconds: number
  readonly inFlight: number
}

/**
 * The part that all comparisons share. The benchmark is about a process that runs for weeks. V8 compiles and recompiles the path during
 * the first 100,000 events or so, which adds some 20 us to each of Headgate's, and less to those of the floor, which has less code.
 */
export const USUAL_PLAN: Omit<Plan, 'loads'> = {
  turns: 4,
  bodyBytes: BODY_BYTES,
  warmUp: { seconds: 10, events: 100_000 },
  idleSeconds: 0,
}

/** Measures every program in every round, and compares the pairs in `bases`. */
export async function compare(
  programs: readonly Program[],
  bases: readonly (readonly [program: string, base: string])[],
  plan: Plan,
  { rounds, seconds, inFlight }: Extent,
  environment: Environment,
): Promise<Comparison> {
  const { bodyBytes } = plan
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
