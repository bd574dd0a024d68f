import type { CheckedPipeline } from '../config/checked-pipeline.js'
import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { HttpHandler, HttpListener, Intake, Log, SinkRecord } from '../contract/index.js'
import { CountedMemory } from '../http/body.js'
import { partitionOf } from '../lib/murmur2.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { buildDecidingPipeline } from '../pipeline/build-decider.js'
import type { Decided } from '../pipeline/decision.js'
import { decide } from '../pipeline/path.js'
import type { DecidingPipeline } from '../pipeline/pipeline.js'
import { recordHandler } from './record-handler.js'
import { DryRunContext, endOf, stepsOf } from './steps.js'
import { currentTrace, type TracedEvent } from './trace.js'

export type PartitionCounts = { readonly [topic: string]: number }

/** A pipeline with the real stages but without connections: its results go into the trace of a run. */
export interface DryRunPipeline {
  readonly pipeline: DecidingPipeline
  /** The path that the source serves, and its handler there. */
  served(): Promise<Served>
  /** The intake that the source calls with each event. */
  readonly intake: Intake
}

export interface Served {
  readonly path: string
  readonly handler: HttpHandler
}

export function dryRunPipeline(
  config: CheckedConfig,
  checked: CheckedPipeline,
  metrics: MetricsRegistry,
  partitions: PartitionCounts,
): DryRunPipeline {
  let served: Served | undefined
  const http: HttpListener = {
    memory: new CountedMemory(Number.POSITIVE_INFINITY),
    serve(path, handler) {
      served = { path, handler }
      return () => {}
    },
  }
  const pipeline = buildDecidingPipeline(config, checked, {
    metrics: metrics.scope(),
    log: () => SILENT,
    http,
    signal: new AbortController().signal,
  })
  const traceEvent = async (...[receive, request]: Parameters<Intake>): Promise<TracedEvent> => {
    const context = new DryRunContext(request)
    const decided = await decide(pipeline.decider, receive, context)
    const end = endOf(decided, (record) => knownPartition(record, partitions))
    const steps = await stepsOf(context, decided, pipeline.stages)
    return { event: decided.event, records: recordsOf(decided), steps, ...end }
  }
  const intake: Intake = async (receive, request) => {
    const ended = traceEvent(receive, request)
    currentTrace().push(ended)
    return (await ended).outcome
  }
  return {
    pipeline,
    intake,
    async served() {
      const source = pipeline.stages.source.instance
      if (source.records !== undefined)
        return { path: '/', handler: recordHandler(source.records, source, intake) }
      if (served === undefined) await source.start(intake)
      if (served === undefined) {
        const { name } = checked.source.definition
        const message = `The source "${name}" of the pipeline "${checked.name}" takes no HTTP requests, so a dry run of it is not possible.`
        throw new HeadgateError('HG_CONFIG_VALUE', message)
      }
      return served
    },
  }
}

function recordsOf({ verdict }: Decided): TracedEvent['records'] {
  if (!('record' in verdict)) return []
  return [{ record: verdict.record, deadLetter: verdict.kind === 'dead-letter' }]
}

/** Undefined if only the cluster can choose it: there is no key, or the number of partitions is unknown. */
export function knownPartition({ target, key }: SinkRecord, partitions: PartitionCounts): number | undefined {
  const count = partitions[target.topic]
  if (target.partition !== undefined || key === null || count === undefined) return target.partition
  return partitionOf(key, count)
}

/** Failures are part of the result, so they are not logged. */
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} }
