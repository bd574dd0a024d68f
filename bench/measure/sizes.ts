import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { saturation } from '../load/loads.js'
import type { Environment } from '../programs/environment.js'
import {
  generateConfig,
  pathOf,
  payloadFor,
  RULE_KINDS,
  type RuleKind,
} from '../programs/generated-config.js'
import { floor, headgate, type Program } from '../programs/programs.js'
import { doubtsOf, type Machine, machineOf } from './figures.js'
import { measure, type Plan, type Sample } from './measure.js'
import { type Spread, spread } from './statistics.js'

/** The cost of an event when something is larger. */
export interface SizeFigures {
  readonly machine: Machine
  readonly rounds: number
  readonly seconds: number
  readonly rows: readonly SizeRow[]
  readonly doubts: readonly string[]
}

export type Axis = 'payload' | 'rules' | 'pipelines'

interface SizeRow {
  readonly axis: Axis
  /** One line of the axis' plot. */
  readonly series: string
  /** Bytes, rules or pipelines. */
  readonly size: number
  readonly cpuPerEvent: Spread
  readonly eventsPerSecond: Spread
  readonly p50: Spread
  readonly peakRss: Spread
}

interface Case extends Pick<SizeRow, 'axis' | 'series' | 'size'> {
  /** With an empty topic, so that there is nothing to read back. */
  program(): Promise<Program>
  readonly plan: Plan
}

const KIB = 1024
export const BODY_SIZES = [200, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, 1024 * KIB]
export const RULE_COUNTS = [1, 10, 50, 100, 500]
export const PIPELINE_COUNTS = [1, 5, 10, 25, 50]

const WARM_UP = { seconds: 2, events: 10_000 }
/** Bytes of all events in flight together: 64 of 1 MiB would measure the machine's memory. */
const IN_FLIGHT_BYTES = 8 * KIB * KIB
const LEAST_IN_FLIGHT = 8

export async function measureSizes(
  options: { readonly rounds: number; readonly seconds: number; readonly inFlight: number },
  environment: Environment,
): Promise<SizeFigures> {
  const { rounds, seconds, inFlight } = options
  const folder = mkdtempSync(join(tmpdir(), 'headgate-sizes-'))
  const samples: Sample[] = []
  try {
    const rows: SizeRow[] = []
    for (const { axis, series, size, program, plan } of casesOf(folder, seconds, inFlight, environment)) {
      const own: Sample[] = []
      for (let round = 0; round < rounds; round++)
        own.push(...(await measure([await program()], round, plan, environment)).samples)
      samples.push(...own)
      const over = (figure: 'cpuPerEvent' | 'eventsPerSecond' | 'p50' | 'peakRss') =>
        spread(own.map((sample) => sample[figure]))
      const cpuPerEvent = over('cpuPerEvent')
      const rest = { eventsPerSecond: over('eventsPerSecond'), p50: over('p50'), peakRss: over('peakRss') }
      rows.push({ axis, series, size, cpuPerEvent, ...rest })
      console.error(`${axis} ${size}, ${series}: ${cpuPerEvent.median.toFixed(0)} us CPU an event`)
    }
    return { machine: machineOf(environment.kafka), rounds, seconds, rows, doubts: doubtsOf(samples) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function casesOf(folder: string, seconds: number, inFlight: number, environment: Environment): Case[] {
  const plan = (bodyBytes: number): Plan => {
    const most = Math.max(LEAST_IN_FLIGHT, Math.floor(IN_FLIGHT_BYTES / bodyBytes))
    const loads = [saturation(seconds, Math.min(inFlight, most))]
    return { loads, turns: 1, bodyBytes, warmUp: WARM_UP, idleSeconds: 0 }
  }
  const generated = (pipelines: number, rules: number, kind: RuleKind) => async (): Promise<Program> => {
    const topic = await environment.emptyTopic()
    const config = join(folder, 'plugins.config.json')
    const schema = resolve('schemas/cxone-data-action.schema.json')
    writeFileSync(config, JSON.stringify(generateConfig({ pipelines, rules, kind, schema, topic })))
    return headgate({ name: 'headgate', config })
  }
  const one = generated(1, 2, 'regex over the payload')
  return [
    ...BODY_SIZES.flatMap((size): Case[] => {
      const common = { axis: 'payload', size } as const
      return [
        { ...common, series: 'headgate', program: one, plan: { ...plan(size), ...at(1, 2) } },
        { ...common, series: 'floor', program: async () => floor(), plan: plan(size) },
      ]
    }),
    ...RULE_KINDS.flatMap((kind) =>
      RULE_COUNTS.map(
        (size): Case => ({
          axis: 'rules',
          series: kind,
          size,
          program: generated(1, size, kind),
          plan: { ...plan(KIB), ...at(1, size) },
        }),
      ),
    ),
    ...PIPELINE_COUNTS.map(
      (size): Case => ({
        axis: 'pipelines',
        series: 'headgate',
        size,
        program: generated(size, 2, 'regex over the payload'),
        plan: { ...plan(KIB), ...at(size, 2) },
      }),
    ),
  ]
}

const at = (pipelines: number, rules: number): Pick<Plan, 'paths' | 'payloads'> => ({
  paths: Array.from({ length: pipelines }, (_, index) => pathOf(index + 1)),
  payloads: [payloadFor(rules)],
})
