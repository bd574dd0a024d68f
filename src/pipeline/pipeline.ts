import type { PipelineConfig } from '../config/schema.js'
import type { Event, LocatedTarget, Log, Outcome, PostCommit, SinkRecord } from '../contract/index.js'
import type { PipelineInbox } from '../inbox/pipeline-inbox.js'
import type { Ledger, LedgerTerms, PartitionProgress } from '../ledger/ledger.js'
import type { InFlight } from '../lib/async.js'
import type { MaskPath } from '../lib/json/masked.js'
import type { MetricsScope } from '../metrics/registry.js'
import type { Acknowledger, AcknowledgerState } from './acknowledge.js'
import type { DeadLettered, DeadLetterVerdict, Decided, Decision } from './decision.js'
import type { EventContext } from './event-log.js'
import type { Apply, Receive, Send } from './observe.js'
import type { BuiltStage, IntakePaths } from './stage.js'
import type { Tap } from './taps.js'
import type { TargetState } from './target-state.js'
import type { Traffic } from './traffic.js'

/** A pipeline that decides events: a dry run needs no more. */
export interface DecidingPipeline {
  readonly decider: Decider
  readonly stages: Stages
}

/** A pipeline under one config that takes events, from their request to their outcome. */
interface IntakePipeline extends DecidingPipeline {
  readonly name: string
  readonly settings: PipelineConfig
  readonly stages: Stages & { readonly source: BuiltSource }
  readonly traffic: Traffic
  readonly runtime: Runtime
  /** The metrics series of this config. */
  readonly metrics: MetricsScope
  /** The second half of the path of an event. `context`: as it was after the first half. Never rejects. */
  commit(decided: Decided, context: EventContext): Promise<Outcome>
  /** Logs the counts of failures and slow events that had no line of their own. */
  flushLogs(): void
}

/**
 * A pipeline with its ledger, which writes the records: in the primary process, or in a worker if the pipeline has an inbox.
 */
export interface Pipeline extends IntakePipeline {
  readonly role: 'whole'
  readonly revision: string
  readonly log: Log
  readonly committer: Committer
  readonly ledger: Ledger
  /** The settings of the ledger under this config; the log is that of the sink. */
  readonly terms: LedgerTerms
  /** One for each post-commit stage. */
  readonly acknowledgers: readonly BuiltAcknowledger[]
  /** Every topic and partition that it can write to. */
  readonly targets: readonly LocatedTarget[]
  /** Called for each event that has ended. */
  readonly taps: ReadonlySet<Tap>
  /** Values of an event that taps mask. */
  readonly masks: readonly MaskPath[]
}

/**
 * A pipeline in a worker whose events the primary process commits. It has no ledger and does not start its sink, which only makes
 * records. Its post-commit stages make single attempts, when the primary process asks for them.
 */
export interface WorkerPipeline extends IntakePipeline {
  readonly role: 'deciding'
  readonly stages: IntakePipeline['stages'] & { readonly postCommit: readonly AttemptingStage[] }
}

/**
 * A pipeline in the primary process that each worker has whole. Here it takes no event and none of its parts runs: it declares
 * the metrics, and tells what a reload changes.
 */
export interface SupervisedPipeline extends Omit<Pipeline, 'role' | 'ledger'> {
  readonly role: 'supervised'
  readonly ledger: WorkersLedger
  /** As the workers build it. */
  readonly blueprint: Pipeline
}

/** A pipeline as the primary process has it. */
export type PrimaryPipeline = Pipeline | SupervisedPipeline

export type LivePipeline = PrimaryPipeline | WorkerPipeline

/** The ledgers that several workers have of one pipeline, as operators see them. */
export interface WorkersLedger extends Pick<Ledger, 'report' | 'instances' | 'retryFailed'> {
  /** Why a part of the pipeline takes no events, in any of the workers. `part`: a stage by its name; without it, the ledger. */
  notReady(part?: string): readonly string[]
  partitions(): Promise<readonly PartitionProgress[]>
  /** One for each post-commit stage. */
  acknowledgers(): Promise<readonly AcknowledgerState[]>
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
  /** Undefined without an inbox. */
  readonly inbox: PipelineInbox | undefined
}

/** Pure. `digest`: of the bytes as they were received. */
export type MakeRecord = (event: Event, digest: string, context?: EventContext) => Decision<SinkRecord>
export type MakeDeadLetter = (
  event: Event,
  digest: string,
  failed: DeadLettered,
  context?: EventContext,
) => Decision<SinkRecord>

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
  readonly source: BuiltStage<'source'>
  readonly transforms: readonly BuiltStage<'transform'>[]
  readonly sink: BuiltStage<'sink'>
  readonly postCommit: readonly BuiltStage<'post-commit'>[]
}

/** The part of a pipeline that outlives its configs. */
export interface Runtime {
  /** The pipeline under each config that takes events or has events in flight; oldest first. */
  readonly live: Set<LivePipeline>
  readonly metrics: MetricsScope
  /** Set by an operator. */
  targetState: TargetState
}

export interface BuiltSource extends BuiltStage<'source'> {
  readonly paths: IntakePaths
  /** Events go to the current pipeline, once the barrier is open. */
  readonly intake: { current: LivePipeline | undefined; barrier: Promise<void> | undefined }
}

export interface BuiltAcknowledger {
  readonly acknowledger: Acknowledger
  /** Retries, rate and concurrency. */
  readonly settings: PipelineConfig['postCommit'][number]
  readonly metrics: MetricsScope
}

/** A post-commit stage of a worker, which stops after its attempts under way. */
export interface AttemptingStage extends BuiltStage<'post-commit'> {
  readonly attempts: InFlight
}

/** Every stage of a pipeline. */
export const stagesOf = (pipeline: DecidingPipeline | undefined): readonly BuiltStage[] => {
  if (pipeline === undefined) return []
  const { source, transforms, sink, postCommit } = pipeline.stages
  return [source, ...transforms, sink, ...postCommit]
}
