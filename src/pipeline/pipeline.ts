import type { PipelineConfig } from '../config/schema.js'
import type { Log, PlacedTarget, Target } from '../contract/index.js'
import type { Ledger, LedgerTerms } from '../ledger/ledger.js'
import type { MaskPath } from '../lib/json/masked.js'
import type { MetricsScope } from '../metrics/registry.js'
import type { Acknowledger } from './acknowledge.js'
import type { HandOver } from './handed.js'
import type { Apply, Receive, Send } from './observe.js'
import type { RecordOrigin } from './records.js'
import type { BuiltStage, IntakePaths } from './stage.js'
import type { TargetState } from './target-state.js'
import type { Traffic } from './traffic.js'
import type { Tap } from './watched.js'

/** A pipeline under one config: its stages, and what the path of an event calls, which is made of them. */
export interface Pipeline {
  readonly name: string
  readonly revision: string
  readonly settings: PipelineConfig
  readonly log: Log
  readonly origin: RecordOrigin
  readonly receive: Receive
  readonly transforms: readonly Apply[]
  readonly send: Send
  readonly deadLetters: { readonly target: Target; readonly send: Send } | undefined
  readonly ledger: Ledger
  /** What the ledger goes by under this config; the log is that of the sink. */
  readonly terms: LedgerTerms
  readonly traffic: Traffic
  readonly stages: Stages
  readonly runtime: Runtime
  /** Every topic and partition that it can write to. */
  readonly targets: readonly PlacedTarget[]
  /** The series of this config. */
  readonly metrics: MetricsScope
  /** Values of an event that no tap shows. */
  readonly masks: readonly MaskPath[]
  /** Logs how many failures and slow events had no line of their own. */
  flushLogs(): void
}

/** The plugins of a pipeline. The next config keeps those that it does not change. */
export interface Stages {
  readonly source: BuiltSource
  readonly transforms: readonly BuiltStage<'transform'>[]
  readonly sink: BuiltStage<'sink'>
  readonly postCommit: readonly BuiltPostCommit[]
}

/** The part of a pipeline that outlives its configs. */
export interface Runtime {
  readonly ledger: Ledger
  /** The pipeline under each config that it takes events under, or has some in flight under; oldest first. */
  readonly live: Set<Pipeline>
  readonly metrics: MetricsScope
  /** Set by an operator. */
  targetState: TargetState
  /** Told of the events that have ended. */
  readonly taps: ReadonlySet<Tap>
  /** In a worker: where events go once it is known what is to become of them. */
  readonly handOver: HandOver | undefined
}

export interface BuiltSource extends BuiltStage<'source'> {
  readonly paths: IntakePaths
  /** Its events go to the current pipeline, once the barrier is open. */
  readonly intake: { current: Pipeline | undefined; barrier: Promise<void> | undefined }
}

export interface BuiltPostCommit {
  readonly stage: BuiltStage<'post-commit'>
  /** Retries, rate and concurrency. */
  readonly settings: PipelineConfig['postCommit'][number]
  readonly acknowledger: Acknowledger
  readonly metrics: MetricsScope
}

/** Every stage of a pipeline. */
export const stagesOf = (pipeline: Pipeline | undefined): readonly BuiltStage[] => {
  if (pipeline === undefined) return []
  const { source, transforms, sink, postCommit } = pipeline.stages
  return [source, ...transforms, sink, ...postCommit.map(({ stage }) => stage)]
}
