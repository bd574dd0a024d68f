import type { PipelineConfig } from '../config/schema.js'
import type { Event, Log, Outcome, PlacedTarget, PostCommit, SinkRecord } from '../contract/index.js'
import type { Ledger, LedgerTerms } from '../ledger/ledger.js'
import type { MaskPath } from '../lib/json/masked.js'
import type { MetricsScope } from '../metrics/registry.js'
import type { Acknowledger } from './acknowledge.js'
import type { DeadLettered, DeadLetterVerdict, Decided, Decision } from './decision.js'
import type { EventContext } from './event-log.js'
import type { Apply, Receive, Send } from './observe.js'
import type { BuiltStage, IntakePaths } from './stage.js'
import type { Tap } from './taps.js'
import type { TargetState } from './target-state.js'
import type { Traffic } from './traffic.js'

/** A pipeline under one config: its stages, and the functions built from them that the path of an event calls. */
export interface Pipeline {
  readonly name: string
  readonly revision: string
  readonly settings: PipelineConfig
  readonly log: Log
  readonly decider: Decider
  readonly committer: Committer
  readonly ledger: Ledger
  /** The settings of the ledger under this config; the log is that of the sink. */
  readonly terms: LedgerTerms
  readonly traffic: Traffic
  readonly stages: Stages
  readonly runtime: Runtime
  /** Every topic and partition that it can write to. */
  readonly targets: readonly PlacedTarget[]
  /** The metrics series of this config. */
  readonly metrics: MetricsScope
  /** Values of an event that taps mask. */
  readonly masks: readonly MaskPath[]
  /** Logs the counts of failures and slow events that had no line of their own. */
  flushLogs(): void
}

/** The observed stages that `decide` calls. A worker has no other part of the path. */
export interface Decider {
  readonly receive: Receive
  readonly transforms: readonly Apply[]
  readonly record: MakeRecord
  /** Undefined without a dead-letter topic. */
  readonly deadLetter: MakeDeadLetter | undefined
}

/** The ledger and the observed sink, as `commit` calls them. */
export interface Committer {
  readonly ledger: Pick<Ledger, 'once'>
  readonly send: Send
  /** For a record that the sink refuses. */
  readonly deadLetter: MakeDeadLetter | undefined
  readonly sendDeadLetter: Send
  /** Counts a dead letter that is durable. */
  deadLettered(verdict: DeadLetterVerdict): void
}

/** Pure. `digest`: of the bytes as they were received. */
export type MakeRecord = (event: Event, digest: string, context?: EventContext) => Decision<SinkRecord>
export type MakeDeadLetter = (
  event: Event,
  digest: string,
  failed: DeadLettered,
  context?: EventContext,
) => Decision<SinkRecord>

/** In a worker: has the primary process commit the event. Never rejects. The context must not be used afterwards. */
export type RemoteCommit = (pipeline: Pipeline, decided: Decided, context: EventContext) => Promise<Outcome>

/**
 * In the primary process: returns a post-commit stage that has workers make its attempts, and falls back on `own` if no worker
 * can. `stage`: its index.
 */
export type OffloadToWorkers = (
  pipeline: string,
  stage: number,
  own: PostCommit,
) => Pick<PostCommit, 'acknowledge'>

/** The plugins of a pipeline. The next config keeps the unchanged ones. */
export interface Stages {
  readonly source: BuiltSource
  readonly transforms: readonly BuiltStage<'transform'>[]
  readonly sink: BuiltStage<'sink'>
  readonly postCommit: readonly BuiltPostCommit[]
}

/** The part of a pipeline that outlives its configs. */
export interface Runtime {
  readonly ledger: Ledger
  /** The pipeline under each config that takes events or has events in flight; oldest first. */
  readonly live: Set<Pipeline>
  readonly metrics: MetricsScope
  /** Set by an operator. */
  targetState: TargetState
  /** Called for each event that has ended. */
  readonly taps: ReadonlySet<Tap>
  readonly remoteCommit: RemoteCommit | undefined
}

export interface BuiltSource extends BuiltStage<'source'> {
  readonly paths: IntakePaths
  /** Events go to the current pipeline, once the barrier is open. */
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
