import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  type HeadgateOptions,
  type HeadgateProcess,
  startHeadgate,
} from '../../src/sandbox/headgate-process.js'
import { type Generator, startGenerator } from '../load/generator.js'
import { BODY_BYTES } from '../load/loads.js'
import type { Environment } from '../programs/environment.js'
import { generateConfig, pathOf, payloadFor } from '../programs/generated-config.js'
import { type Machine, machineOf } from './figures.js'
import { fillTopic, storePendingAcks } from './pending-acks.js'
import { processFigures, watch } from './watch.js'

/** The cost of a backlog that is far larger than its part in memory. */
export interface BacklogFigures {
  readonly machine: Machine
  /** Acknowledgements, when the process started. */
  readonly pending: number
  /** MiB: the file in the state directory, then. */
  readonly file: number
  /** After a stop in order; and at the end, with most acknowledgements still pending, after `kill -9`. */
  readonly ready: Ready
  readonly readyAfterKill: Ready
  /** Events a second in each phase, and its length in seconds. */
  readonly rate: number
  readonly seconds: number
  readonly phases: readonly BacklogPhase[]
}

/** A process at the moment when it starts to accept events. */
export interface Ready {
  /** Seconds from its start. */
  readonly after: number
  /** MiB: resident, and the part of it that is not mapped from a file. */
  readonly rss: number
  readonly own: number
}

export interface BacklogPhase {
  /** The response of the sender to acknowledgements. */
  readonly sender: 'refuses' | 'takes'
  /** MiB. */
  readonly peakRss: number
  readonly peakOwn: number
  /** CPU seconds a second. */
  readonly cores: number
  readonly acknowledgedPerSecond: number
  readonly deliveredPerSecond: number
  /** Events with another status than 200, by status. */
  readonly refused: { readonly [status: string]: number }
  /** Milliseconds from the time at which an event was due to its response. */
  readonly p50: number
  readonly p99: number
}

/** MiB: 300 MB, the limit for the process's own memory, however many acknowledgements are pending. */
export const OWN_LIMIT = 300e6 / 2 ** 20

const RATE = 500
const CONNECTIONS = 64
const MIB = 2 ** 20
const RULES = 2
const PIPELINE = 'bench-1'
/** Milliseconds. */
const READY_WITHIN = 120_000
/** The rest stays pending after the stop, and need not be waited for. */
const SHUTDOWN_TIMEOUT = '1s'

/**
 * Headgate on a state directory with so many pending acknowledgements: first with a sender that refuses them, then
 * with one that accepts them.
 */
export async function measureBacklog(
  { pending, seconds }: { readonly pending: number; readonly seconds: number },
  environment: Environment,
): Promise<BacklogFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-pending-'))
  try {
    const topic = await environment.emptyTopic()
    const directory = join(folder, 'state')
    await fillTopic(environment.brokers, topic, pending)
    await storePendingAcks(directory, { pipeline: PIPELINE, topic, count: pending })
    console.error(`${pending} acknowledgements are pending`)
    const file = statSync(join(directory, 'ledger.mdb')).size / MIB
    const options = {
      config: writeConfig(folder, topic, pending),
      env: { ...environment.env, HEADGATE_STATE_DIR: directory, HEADGATE_SHUTDOWN_TIMEOUT: SHUTDOWN_TIMEOUT },
      within: READY_WITHIN,
    }
    await environment.takeAcknowledgements(false)
    const first = await timedStart(options)
    const phases = await measurePhases(first.headgate, seconds, environment)
    await environment.takeAcknowledgements(false)
    const second = await timedStart(options)
    await second.headgate.stop()
    return {
      machine: machineOf(environment.kafka),
      pending,
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
  const { rss, own } = processFigures([headgate.pid])
  return { headgate, ready: { after, rss, own } satisfies Ready }
}

/** Kills it at the end. */
async function measurePhases(
  headgate: HeadgateProcess,
  seconds: number,
  environment: Environment,
): Promise<BacklogPhase[]> {
  const generator = startGenerator()
  try {
    const during = (sender: BacklogPhase['sender']) =>
      measurePhase(sender, seconds, headgate, generator, environment)
    return [await during('refuses'), await during('takes')]
  } finally {
    await generator.stop()
    headgate.kill('SIGKILL')
    await headgate.exited
  }
}

function writeConfig(folder: string, topic: string, pending: number): string {
  const schema = resolve('schemas/cxone-data-action.schema.json')
  const { pipelines } = generateConfig({
    pipelines: 1,
    rules: RULES,
    kind: 'regex over the payload',
    schema,
    topic,
  })
  const config = join(folder, 'plugins.config.json')
  // Also for the events that arrive meanwhile.
  writeFileSync(
    config,
    JSON.stringify({ pipelines: { [PIPELINE]: { ...pipelines[PIPELINE], maxPending: 2 * pending + 1e6 } } }),
  )
  return config
}

async function measurePhase(
  sender: BacklogPhase['sender'],
  seconds: number,
  { pid, intake }: HeadgateProcess,
  generator: Generator,
  environment: Environment,
): Promise<BacklogPhase> {
  await environment.takeAcknowledgements(sender === 'takes')
  const acknowledgedBefore = await environment.acknowledged()
  const cpuBefore = processFigures([pid]).cpu
  const run = generator.run({
    ports: [Number(new URL(intake).port)],
    token: environment.token,
    name: sender,
    paths: [pathOf(1)],
    payloads: [payloadFor(RULES)],
    bodyBytes: BODY_BYTES,
    connections: CONNECTIONS,
    rate: RATE,
    seconds,
  })
  const { peakRss, peakOwn } = await watch([pid], generator, environment, acknowledgedBefore, run)
  const result = await run
  const acknowledged = (await environment.acknowledged()) - acknowledgedBefore
  return {
    sender,
    peakRss,
    peakOwn,
    cores: (processFigures([pid]).cpu - cpuBefore) / 1e6 / result.seconds,
    acknowledgedPerSecond: acknowledged / result.seconds,
    deliveredPerSecond: result.delivered / result.seconds,
    refused: result.refused,
    p50: result.p50,
    p99: result.p99,
  }
}
