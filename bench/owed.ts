import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type HeadgateOptions, type HeadgateProcess, startHeadgate } from '../src/sandbox/headgate-process.js'
import { type Machine, machineOf } from './figures.js'
import { type Generator, startGenerator } from './generator.js'
import { fillTopic, owe } from './owe.js'
import { generateConfig, pathOf, payloadFor } from './sizes.js'
import type { Environment } from './surroundings.js'
import { processFigures, watch } from './watch.js'

/** What a backlog costs that is far larger than what is kept of it in memory. */
export interface OwedFigures {
  readonly machine: Machine
  /** Acknowledgements, when the process started. */
  readonly owed: number
  /** MiB: the file in the state directory, then. */
  readonly file: number
  /** After a stop in order, and at the end, when much is still owed, after `kill -9`. */
  readonly ready: Ready
  readonly readyAfterKill: Ready
  /** Events a second that are sent in each phase, and for how many seconds. */
  readonly rate: number
  readonly seconds: number
  readonly phases: readonly OwedPhase[]
}

/** A process at the moment from which it takes events. */
export interface Ready {
  /** Seconds from its start. */
  readonly after: number
  /** MiB: resident, and of that what is not mapped from a file. */
  readonly rss: number
  readonly own: number
}

export interface OwedPhase {
  /** What the sender does with acknowledgements. */
  readonly sender: 'refuses' | 'takes'
  /** MiB. */
  readonly peakRss: number
  readonly peakOwn: number
  /** CPU seconds a second. */
  readonly cores: number
  readonly acknowledgedPerSecond: number
  readonly deliveredPerSecond: number
  /** Events that were not answered 200, by status. */
  readonly refused: { readonly [status: string]: number }
  /** Milliseconds from when an event was due to its answer. */
  readonly p50: number
  readonly p99: number
}

/** MiB: 300 MB. What is own memory may not be more, however much is owed. */
export const OWN_LIMIT = 300e6 / 2 ** 20

const RATE = 500
const CONNECTIONS = 64
const BODY_BYTES = 1024
const MIB = 2 ** 20
const RULES = 2
const PIPELINE = 'bench-1'
/** Milliseconds. */
const READY_WITHIN = 120_000
/** All the rest stays owed when it is stopped, and need not be waited for. */
const SHUTDOWN_TIMEOUT = '1s'

/** Headgate on a state directory in which so much is owed: first to a sender that refuses it, then to one that takes it. */
export async function measureOwed(
  { owed, seconds }: { readonly owed: number; readonly seconds: number },
  around: Environment,
): Promise<OwedFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-owed-'))
  try {
    const topic = await around.emptyTopic()
    const directory = join(folder, 'state')
    await fillTopic(around.brokers, topic, owed)
    await owe(directory, { pipeline: PIPELINE, topic, count: owed })
    console.error(`${owed} acknowledgements are owed`)
    const file = statSync(join(directory, 'ledger.mdb')).size / MIB
    const options = {
      config: writeConfig(folder, topic, owed),
      env: { ...around.env, HEADGATE_STATE_DIR: directory, HEADGATE_SHUTDOWN_TIMEOUT: SHUTDOWN_TIMEOUT },
      within: READY_WITHIN,
    }
    await around.takeAcknowledgements(false)
    const first = await timedStart(options)
    const phases = await measurePhases(first.headgate, seconds, around)
    await around.takeAcknowledgements(false)
    const second = await timedStart(options)
    await second.headgate.stop()
    return {
      machine: machineOf(around.kafka),
      owed,
      file,
      ready: first.ready,
      readyAfterKill: second.ready,
      rate: RATE,
      seconds,
      phases,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function timedStart(options: HeadgateOptions) {
  const before = performance.now()
  const headgate = await startHeadgate(options)
  const after = (performance.now() - before) / 1000
  const { rss, own } = processFigures(headgate.pid)
  return { headgate, ready: { after, rss, own } satisfies Ready }
}

/** Kills it at the end. */
async function measurePhases(
  headgate: HeadgateProcess,
  seconds: number,
  around: Environment,
): Promise<OwedPhase[]> {
  const generator = startGenerator()
  try {
    const during = (sender: OwedPhase['sender']) => measurePhase(sender, seconds, headgate, generator, around)
    return [await during('refuses'), await during('takes')]
  } finally {
    await generator.stop()
    headgate.kill('SIGKILL')
    await headgate.exited
  }
}

function writeConfig(folder: string, topic: string, owed: number): string {
  const schema = resolve('schemas/cxone-data-action.schema.json')
  const { pipelines } = generateConfig({
    pipelines: 1,
    rules: RULES,
    kind: 'regex over the payload',
    schema,
    topic,
  })
  const config = join(folder, 'plugins.config.json')
  // Room for all that comes meanwhile.
  writeFileSync(
    config,
    JSON.stringify({ pipelines: { [PIPELINE]: { ...pipelines[PIPELINE], maxPending: 2 * owed + 1e6 } } }),
  )
  return config
}

async function measurePhase(
  sender: OwedPhase['sender'],
  seconds: number,
  { pid, intake }: HeadgateProcess,
  generator: Generator,
  around: Environment,
): Promise<OwedPhase> {
  await around.takeAcknowledgements(sender === 'takes')
  const acknowledgedBefore = await around.acknowledged()
  const cpuBefore = processFigures(pid).cpu
  const run = generator.run({
    port: Number(new URL(intake).port),
    token: around.token,
    name: sender,
    paths: [pathOf(1)],
    payloads: [payloadFor(RULES)],
    bodyBytes: BODY_BYTES,
    connections: CONNECTIONS,
    rate: RATE,
    seconds,
  })
  const { peakRss, peakOwn } = await watch(pid, generator, around, acknowledgedBefore, run)
  const result = await run
  const acknowledged = (await around.acknowledged()) - acknowledgedBefore
  return {
    sender,
    peakRss,
    peakOwn,
    cores: (processFigures(pid).cpu - cpuBefore) / 1e6 / result.seconds,
    acknowledgedPerSecond: acknowledged / result.seconds,
    deliveredPerSecond: result.delivered / result.seconds,
    refused: result.refused,
    p50: result.p50,
    p99: result.p99,
  }
}
