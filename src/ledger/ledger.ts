import type { Committed, Event, Outcome, Receipt, RecordLog, SinkRecord } from '../contract/index.js'
import type { RecordMac } from '../pipeline/record-mac.js'
import type { RecognisedBy } from './identity.js'
import type { StageAfter } from './rows.js'

/** An acknowledgement that a post-commit stage still owes the sender. Times are those of the clock of the ledger. */
export interface Pending {
  readonly committed: Committed
  readonly committedAt: number
  /** The post-commit stage that it waits for. */
  readonly stage: number
  /** Attempts that this stage has made. */
  readonly attempts: number
  /** Not to be tried before. */
  readonly dueAt: number
}

/**
 * Remembers what is durable and what is still to be acknowledged. The pipeline asks it before an event is processed
 * and tells it how that ended; the acknowledger of each post-commit stage takes from it.
 */
export interface Ledger {
  /** Rejects where the state cannot be used; reading back goes on afterwards, and is a reason in `notReady`. */
  start(): Promise<void>
  /** Writes what is not written yet. */
  stop(): Promise<void>
  notReady(): readonly string[]
  /**
   * Resolves when the ledger has caught up with the log and takes events, at once if it does already. Rejects with
   * HG_LEDGER_NOT_READY if the ledger is stopped first.
   */
  ready(): Promise<void>
  /**
   * Runs `deliver`, unless this very event (as `by` of the terms has it) is known already: then the outcome is `duplicate`, and
   * its acknowledgement becomes due again. Copies in flight at once share one run. `digest` of the bytes goes into the
   * record, so that it is recognised when it is read back; `known`: where it has been worked out before. Where the ledger
   * cannot take the event, the outcome is `unavailable`.
   */
  once(event: Event, deliver: (digest: string) => Promise<Outcome>, known?: string): Promise<Outcome>
  /**
   * To be asked before a record is written: its place, when the very same one is in the log already without a proof that this
   * pipeline wrote it. Undefined otherwise.
   */
  written(record: SinkRecord): Promise<Receipt> | undefined
  /** Milliseconds since the epoch on a clock that never goes back and does not follow a wall clock that is set. */
  now(): number
  /**
   * Takes the acknowledgement at a post-commit stage whose turn it is; it is then settled by one of the next three.
   * `untriedOnly`: none that has failed before.
   */
  take(stage: number, now: number, untriedOnly?: boolean): Pending | undefined
  acknowledged(pending: Pending): void
  retry(pending: Pending, dueAt: number): void
  failed(pending: Pending, reason: FailureReason): void
  /** When `take` will have one; undefined while there is none. */
  dueAt(stage: number, untriedOnly?: boolean): number | undefined
  /** Brings what waits on disk into memory, where there is room: until then `take` and `dueAt` do not know of it. */
  refill(): Promise<void>
  /** Calls `wake` whenever an acknowledgement of the stage was added. */
  onAdded(stage: number, wake: () => void): void
  /** What is not yet acknowledged by every stage, the ones being tried included. */
  backlog(): Owing
  /**
   * Learns what `log` holds in partitions that were never known, beside the path of events: records of this pipeline may
   * be there from before. Rejects where that does not succeed, or where `log` cannot be that of the records known so far.
   */
  meet(log: RecordLog): Promise<void>
  /** False while only the present log can tell what became of records. */
  canMoveTo(log: RecordLog | undefined): boolean
  /** Goes on under another config. `stageAfter` says where what waits for a post-commit stage goes on; without it, there. */
  change(terms: LedgerTerms, stageAfter: StageAfter | undefined): void
  /** For operators. Looks at all that is owed, some of it at a time: with millions, seconds pass, in which events are taken. */
  report(): Promise<LedgerReport>
  /** How far each partition is known, and acknowledged. */
  partitions(): readonly KnownPartition[]
  /** Owes anew what was given up, and says how many that were. */
  retryFailed(): number
}

/** What a ledger takes from the config. */
export interface LedgerTerms {
  /** Where the records are; without it, what the state directory loses is lost. */
  readonly log: RecordLog | undefined
  /** Proves that a record was written by the pipeline. */
  readonly mac: RecordMac
  readonly by: RecognisedBy
  /** How long (in milliseconds) and how many events are recognised when they come again. */
  readonly window: number
  readonly entries: number
  /** How many acknowledgements may be owed before intake answers 503. */
  readonly maxPending: number
  /** How many post-commit stages an acknowledgement passes, in order. */
  readonly stages: number
}

export interface Owing {
  readonly count: number
  /** How long ago the oldest of them was committed, in milliseconds; 0 where there is none. */
  readonly oldestAge: number
  /** Acknowledgements that were given up. */
  readonly failed: number
  /** For how long events are recognised when they come again, in milliseconds. */
  readonly remembersFor: number
  /** Since the process started: partitions that had another log than before. */
  readonly replacedPartitions: number
  /** Since the process started: records that name the pipeline without a proof that it wrote them. */
  readonly unprovenRecords: number
  /** Since the process started: events with the id of an earlier one and other bytes, as far as that was noticed. */
  readonly sameIdOtherBytes: number
}

/** The state of a ledger as people look at it. */
export interface LedgerReport {
  /** Acknowledgements that are owed, by how long ago their record was committed. */
  readonly pending: readonly { readonly age: string; readonly count: number }[]
  /** The oldest of those that were given up, and how many there are. */
  readonly failed: {
    readonly count: number
    readonly first: readonly {
      readonly id: string
      readonly receipt?: Receipt
      readonly reason: FailureReason
      /** Milliseconds since the epoch. */
      readonly failedAt: number
    }[]
  }
  readonly partitions: readonly KnownPartition[]
  /** Since when events are recognised when they come again; milliseconds since the epoch. */
  readonly remembersSince: number
}

export interface KnownPartition {
  readonly topic: string
  readonly partition: number
  /** Offsets: what is before is known, and acknowledged. */
  readonly known: number
  readonly acknowledged: number
}

/** Why an acknowledgement was given up. */
export interface FailureReason {
  readonly code: string
  readonly message: string
}
