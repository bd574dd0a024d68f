import type { CheckedPipeline } from '../config/checked-pipeline.js'
import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Log, RecordLog } from '../contract/index.js'
import { endsWithin } from '../lib/async.js'
import { ProcessMetrics } from '../metrics/registry.js'
import { buildDelivery, type Delivery } from '../pipeline/build-delivery.js'
import { redactor } from '../process/redact.js'
import { type Judgement, judge } from './judge.js'
import type { DeadLetter } from './letter.js'

/** Milliseconds for the sink to disconnect. Records that it still has to send are lost with the process. */
const STOP_WITHIN = 10_000

/** The dead letters of a pipeline and its stages, on an open connection. */
export interface DeadLetterSession {
  readonly delivery: Delivery
  readonly log: RecordLog
  /** Of the dead letters. */
  readonly topic: string
  /** The result of a dead letter with the current config. */
  judge(letter: DeadLetter, value: Buffer): Promise<Judgement>
  /** Replaces values that come from references in the config. */
  redact(text: string): string
  /** Cancels everything in flight and closes the connection. */
  giveUp(): Promise<void>
}

export interface SessionOptions {
  readonly config: CheckedConfig
  /** A pipeline with a dead-letter topic. */
  readonly checked: CheckedPipeline
  readonly recordKey: string | undefined
  /** The targets of its records are checked too. */
  readonly writes: boolean
  /** If one is aborted, nothing is waited for any more. */
  readonly kill: readonly AbortSignal[]
}

/** The topic of a pipeline's dead letters; undefined if it has none. */
export const deadLetterTopic = ({ settings }: CheckedPipeline): string | undefined =>
  settings.deadLetter?.topic

/** Does `work` on the dead letters of a pipeline. Rejects with the error if Kafka cannot be reached. */
export async function withSession<Result>(
  { config, checked, recordKey, writes, kill }: SessionOptions,
  work: (session: DeadLetterSession) => Promise<Result>,
): Promise<Result> {
  const ending = new AbortController()
  const deps = { metrics: new ProcessMetrics(), log: () => SILENT, signal: ending.signal, recordKey }
  const delivery = buildDelivery(config, checked, deps)
  const { sink, targets } = delivery
  const giveUp = async (): Promise<void> => {
    ending.abort()
    await sink.stop?.()
  }
  const onKill = () => void giveUp()
  for (const signal of kill) signal.addEventListener('abort', onKill)
  try {
    sink.expect(writes ? targets : targets.slice(-1))
    await sink.start?.()
    const [reason] = sink.notReady?.() ?? []
    if (reason !== undefined) throw new HeadgateError('HG_KAFKA_UNAVAILABLE', reason)
    if (sink.log === undefined)
      throw new HeadgateError('HG_CONFIG_VALUE', 'The sink of this pipeline cannot read its own records.')
    for (const { instance } of delivery.transforms) await instance.start?.()
    return await work({
      delivery,
      log: sink.log,
      topic: deadLetterTopic(checked) ?? '',
      judge: (letter, value) => judge(delivery, letter, value),
      redact: redactor(config.secrets),
      giveUp,
    })
  } finally {
    for (const signal of kill) signal.removeEventListener('abort', onKill)
    for (const { instance } of delivery.transforms) await instance.stop?.()
    await endsWithin(giveUp(), STOP_WITHIN)
  }
}

/** Errors reach the operator by other ways. */
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} }
