import type {
  Event,
  InboxGroup,
  InboxProgress,
  InstanceGroup,
  InstanceState,
  Outcome,
  Position,
  Receipt,
  RecordLog,
  SinkRecord,
} from '../contract/index.js'
import type { RecordMac } from '../pipeline/record-mac.js'
import type { DedupBy } from './identity.js'
import type { FailureReason, PendingAck, StageAfter } from './rows.js'

/**
 * Deduplicates events, and keeps the pending acknowledgements of those that are durable. The pipeline asks it before it
 * processes an event and reports the outcome; the acknowledger of each post-commit stage takes from it.
 */
export interface Ledger {
  /** Rejects if the state cannot be used. The recovery continues afterwards, and is a reason in `notReady`. */
  start(): Promise<void>
  /** Works off no more accepted events, before the last acknowledgements are made. */
  finish(): Promise<void>
  /** Writes all changes that are not on disk yet. `isTakenOver`: another process uses the same state next. */
  stop(isTakenOver?: boolean): Promise<void>
  notReady(): readonly string[]
  /**
   * Resolves when the ledger has caught up with the log and takes events, at once if it does already. Rejects with
   * HG_LEDGER_NOT_READY if the ledger is stopped first.
   */
  ready(): Promise<void>
  /**
   * Runs `deliver`, unless the event is a redelivery (as `by` of the terms defines it): then the outcome is `duplicate`, and
   * its acknowledgement is pending again. Copies in flight share one run. `digest` of the bytes goes into the record, so that
   * a recovery can identify it; `knownDigest` if the caller has computed it. If the ledger cannot take the event, the outcome
   * is `unavailable`.
   */
  once(event: Event, deliver: (digest: string) => Promise<Outcome>, knownDigest?: string): Promise<Outcome>
  /**
   * Called before a record is written: the receipt of the very same record, if the log has it without a proof that this
   * pipeline wrote it. Undefined otherwise.
   */
  findWritten(record: SinkRecord): Promise<Receipt> | undefined
  /** Milliseconds since the epoch on a clock that never goes back and does not follow a wall clock that is set. */
  now(): number
  /**
   * Takes the next acknowledgement of a post-commit stage; one of the next three methods then settles it. `newOnly`: none
   * that has failed before.
   */
  take(stage: number, now: number, newOnly?: boolean): PendingAck | undefined
  acknowledged(pending: PendingAck): void
  retry(pending: PendingAck, dueAt: number): void
  failed(pending: PendingAck, reason: FailureReason): void
  /** When `take` will have one; undefined if there is none. */
  dueAt(stage: number, newOnly?: boolean): number | undefined
  /** Loads spilled acknowledgements into memory if there is room: `take` and `dueAt` do not see them before. */
  refill(): Promise<void>
  /** Calls `wake` whenever an acknowledgement of the stage was added. */
  onAdded(stage: number, wake: () => void): void
  /** The acknowledgements that not every stage has made yet, those in flight included. */
  backlog(): LedgerBacklog
  /**
   * Reads the partitions of `log` that the ledger has no checkpoint of, while events are taken: they may hold records of this
   * pipeline from before. Rejects if that fails, or if `log` cannot be the log of the present records.
   */
  catchUp(log: RecordLog): Promise<void>
  /** False while only the present log can tell the fate of records. */
  canMoveTo(log: RecordLog | undefined): boolean
  /** Continues under another config. `stageAfter` maps pending acknowledgements to their new stages; without it, they stay. */
  change(terms: LedgerTerms, stageAfter: StageAfter | undefined): void
  /**
   * For operators. Looks at all pending acknowledgements, in slices: with millions, it takes seconds, and events go on. `ownOnly`: without
   * the failed acknowledgements that other instances have kept, which a topic has to be read for.
   */
  report(ownOnly?: boolean): Promise<LedgerReport>
  /** For operators: the instances of the pipeline, as Kafka knows them. Rejects with a HeadgateError if it does not respond. */
  instances(): Promise<LedgerInstances>
  /** The offsets up to which each partition is in the state, and acknowledged. */
  partitions(): readonly PartitionProgress[]
  /** Makes failed acknowledgements pending again, and resolves with their number. */
  retryFailed(): Promise<number>
}

/** The pending acknowledgements, as an acknowledger sees them. */
export type AckSource = Pick<
  Ledger,
  'now' | 'take' | 'acknowledged' | 'retry' | 'failed' | 'dueAt' | 'refill' | 'onAdded'
>

/** The settings of a ledger, from the config. */
export interface LedgerTerms {
  /** Has the records; without it, a lost state directory cannot be recovered. */
  readonly log: RecordLog | undefined
  /** Undefined if the sink has none: then nothing notices a second instance. */
  readonly instances?: InstanceGroup | undefined
  /** Proves that the pipeline wrote a record. */
  readonly mac: RecordMac
  readonly by: DedupBy
  /** How long (in milliseconds) and how many events stay in the index. */
  readonly window: number
  readonly entries: number
  /** How many acknowledgements may be pending before the intake responds 503. */
  readonly maxPending: number
  /** The number of post-commit stages that each acknowledgement passes, in order. */
  readonly stages: number
}

/** The figures of a ledger for metrics. */
export interface LedgerBacklog {
  readonly count: number
  /** Milliseconds since the oldest of them was committed; 0 if there is none. */
  readonly oldestAge: number
  /** Acknowledgements that failed for good. */
  readonly failed: number
  /** How far back redeliveries are detected, in milliseconds; undefined if there is nothing to detect them in. */
  readonly dedupSpan: number | undefined
  /** Since the process started: partitions whose log was replaced. */
  readonly replacedPartitions: number
  /** Since the process started: records that name the pipeline without a proof that it wrote them. */
  readonly unprovenRecords: number
  /** Since the process started: events with the id of an earlier one and other bytes, as far as that was noticed. */
  readonly sameIdOtherBytes: number
}

/** The state of a ledger, as `headgate ledger` shows it. */
export interface LedgerReport {
  /** Pending acknowledgements, by the age of their record. */
  readonly pending: readonly { readonly age: string; readonly count: number }[]
  /** The oldest failed acknowledgements, and the number of all of them. */
  readonly failed: {
    readonly count: number
    readonly first: readonly {
      readonly id: string
      /** Its position in the topic for dead letters, with an inbox. */
      readonly position?: Position
      readonly receipt?: Receipt
      readonly reason: FailureReason
      /** Milliseconds since the epoch. */
      readonly failedAt: number
    }[]
    /** Why some may be missing. */
    readonly problem?: string
  }
  readonly partitions: readonly PartitionProgress[]
  /** Redeliveries are detected of events received since then; milliseconds since the epoch. */
  readonly remembersSince: number
}

/** The instances of a pipeline. */
export type LedgerInstances =
  /** Only one of them takes events. `reason`: why it is not this one. */
  { readonly kind: 'one-active'; readonly state: InstanceState; readonly reason?: string } | SharedInstances

/** They share the partitions of an inbox, or of the topics of a source. */
export interface SharedInstances extends Omit<InboxGroup, 'own' | 'partitions'> {
  readonly kind: 'shared'
  /** Those of this process: with workers, each of them is one. */
  readonly own: readonly string[]
  readonly partitions: readonly TopicProgress[]
}

/** A partition of an inbox, or of a topic of a source. */
export interface TopicProgress extends InboxProgress {
  readonly topic: string
}

export interface PartitionProgress {
  readonly topic: string
  readonly partition: number
  /** Offsets: the state has all records before, and all before are acknowledged. */
  readonly known: number
  readonly acknowledged: number
}
