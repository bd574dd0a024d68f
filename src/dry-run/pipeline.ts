import type { CheckedPipeline, CheckedStage } from '../config/check.js'
import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type {
  Committed,
  HttpHandler,
  HttpListener,
  Intake,
  Log,
  Sink,
  SinkRecord,
} from '../contract/index.js'
import { CountedMemory } from '../http/body.js'
import { digestOf } from '../ledger/identity.js'
import { type Ledger, noLedger } from '../ledger/ledger.js'
import { committedOf } from '../ledger/rows.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { assemblePipeline } from '../pipeline/build.js'
import { run } from '../pipeline/path.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import { currentTrace, watch } from './trace.js'

export type PartitionCounts = { readonly [topic: string]: number }

/** A pipeline whose stages are the real ones and whose connections are not: it writes into the trace of a run. */
export interface DryRunPipeline {
  readonly pipeline: Pipeline
  /** What the source put behind its path. */
  handler(): Promise<HttpHandler>
  /** The path of an event, as the source takes it. */
  readonly intake: Intake
}

export function dryRunPipeline(
  config: CheckedConfig,
  checked: CheckedPipeline,
  metrics: MetricsRegistry,
  partitions: PartitionCounts,
): DryRunPipeline {
  let handler: HttpHandler | undefined
  const http: HttpListener = {
    memory: new CountedMemory(Number.POSITIVE_INFINITY),
    serve(_path, given) {
      handler = given
      return () => {}
    },
  }
  const surroundings = { metrics, log: () => SILENT, http: () => http, signal: new AbortController().signal }
  const offline = { ...checked, sink: withoutKafka(checked.sink, partitions) }
  const pipeline = assemblePipeline(config, offline, surroundings, () =>
    dryRunLedger((committed) => {
      currentTrace().committed = committed
    }),
  )
  const watched = watch(pipeline, checked)
  const intake: Intake = async (receive) => {
    const outcome = await run(watched, receive)
    currentTrace().outcome = outcome
    return outcome
  }
  return {
    pipeline,
    intake,
    async handler() {
      if (handler === undefined) await pipeline.stages.source.instance.start(intake)
      if (handler === undefined) {
        const { name } = checked.source.definition
        const message = `The source "${name}" of the pipeline "${checked.name}" takes no HTTP requests, so it cannot be run dry.`
        throw new HeadgateError('HG_CONFIG_VALUE', message)
      }
      return handler
    },
  }
}

/** The sink itself makes the records; sending them ends in the trace. */
function withoutKafka(
  { definition, ...stage }: CheckedStage<'sink'>,
  partitions: PartitionCounts,
): CheckedStage<'sink'> {
  const create: typeof definition.create = (config, context) => {
    const sink = definition.create(config, context)
    return {
      expect: (targets) => sink.expect(targets),
      record: (event, headers) => sink.record(event, headers),
      key: (event) => sink.key(event),
      headers: (event) => sink.headers?.(event) ?? [],
      async send(record) {
        const { records, deadLetter } = currentTrace()
        records.push({ record, deadLetter })
        const partition = knownPartition(record, partitions) ?? -1
        return { topic: record.target.topic, partition, offset: 0 }
      },
    } satisfies Sink
  }
  return { ...stage, definition: { ...definition, create } }
}

/** Undefined where only the cluster knows: the key decides among partitions nobody has counted, or there is none. */
export function knownPartition({ target, key }: SinkRecord, partitions: PartitionCounts): number | undefined {
  const count = partitions[target.topic]
  if (target.partition !== undefined || key === null || count === undefined) return target.partition
  return partitionOf(key, count)
}

/** Failures are part of the result and shown with it. */
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} }

const SEED = 0x9747b28c
const M = 0x5bd1e995

/** The partition that Kafka's Java client gives a key, and with it librdkafka's `murmur2_random`. */
export const partitionOf = (key: Buffer, partitions: number): number =>
  (murmur2(key) & 0x7fffffff) % partitions

/** As org.apache.kafka.common.utils.Utils.murmur2; a signed 32-bit integer. */
export function murmur2(data: Buffer): number {
  const { length } = data
  const words = length & ~3
  let hash = SEED ^ length
  for (let at = 0; at < words; at += 4) {
    const word = Math.imul(data.readInt32LE(at), M)
    hash = Math.imul(hash, M) ^ Math.imul(word ^ (word >>> 24), M)
  }
  if (words < length) {
    for (let at = length - 1; at >= words; at--) hash ^= (data[at] ?? 0) << (8 * (at - words))
    hash = Math.imul(hash, M)
  }
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

/**
 * Remembers no event from one run to the next, and owes nothing: what would be owed is told to `owe`. It never has
 * anything to give to an acknowledger.
 */
const dryRunLedger = (owe: (committed: Committed) => void): Ledger => ({
  ...noLedger,
  async once(event, deliver) {
    const outcome = await deliver(digestOf(event.body.bytes))
    if (outcome.kind === 'dropped') owe(committedOf(event))
    else if ('receipt' in outcome) owe(committedOf(event, outcome.receipt))
    return outcome
  },
})
