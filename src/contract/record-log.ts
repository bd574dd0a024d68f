import type { RecordHeader } from './event.js'

/** A record's position in the log. */
export interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** The records from a position to before `end`. */
export interface OffsetRange extends Position {
  readonly end: number
}

/** A partition of the log as it is now. */
export interface LogPartition {
  readonly topic: string
  readonly partition: number
  /** The oldest record that is still kept. */
  readonly start: number
  /** Behind the newest record. */
  readonly end: number
  /** The offset of the last `commit`; undefined if there was none. */
  readonly committed: number | undefined
}

/** A record as it is read back. */
export interface LoggedRecord extends Position {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: Buffer | null
  /** Empty if the record has none. */
  readonly value: Buffer
  /** The first of this name; undefined if the record has none. */
  header(name: string): string | undefined
  /** All of them, in their order. */
  headers(): readonly RecordHeader[]
}

/**
 * The records that a sink has written, as far as the ledger needs them: they are its source of truth. All of it rejects
 * with a HeadgateError of kind `infrastructure` while the log cannot be reached, and may be retried.
 */
export interface RecordLog {
  /**
   * Cancels every record that was sent and not confirmed: a record that is not in the log when this resolves will
   * never be in it. Their `send` rejects. Afterwards the sink takes records again.
   */
  fence(): Promise<void>
  /**
   * Every partition that records of the pipeline can be in: those of its targets (with an inbox, of those that exist), and `also`
   * others, which it wrote to under an earlier config; of these, partitions that no longer exist are left out.
   */
  partitions(also?: readonly Omit<Position, 'offset'>[]): Promise<readonly LogPartition[]>
  /**
   * Tells topics apart that have the same name: one that was deleted and created again, or that of another cluster, has
   * another identity. A topic that does not exist is left out; if a target names it, this rejects. Resolves with undefined
   * if the identity cannot be determined now: records are compared then.
   */
  identify?(topics: readonly string[]): Promise<ReadonlyMap<string, string> | undefined>
  /** For each partition the offset of the first record that is not older than `timestamp`; its end if there is none. */
  offsetsAt(timestamp: number): Promise<readonly Position[]>
  /**
   * Visits the records from each position to the end that the partition has now, in the order of the offsets. An error
   * that `visit` throws ends the reading, which rejects with it.
   */
  read(from: readonly Position[], visit: (record: LoggedRecord) => void): Promise<void>
  /** Visits the records of these ranges, in the order of the offsets within each. */
  readBetween(ranges: readonly OffsetRange[], visit: (record: LoggedRecord) => void): Promise<void>
  /**
   * Undefined if the pipeline had none, or if the cluster does not tell. `present`: the topic of the inbox that it has now, or
   * those of its source, which do not count.
   */
  formerTopics?(present: readonly string[]): Promise<FormerTopics | undefined>
  /** Commits, for each partition, the offset below which everything is acknowledged, for operators to see. */
  commit(positions: readonly Position[]): Promise<void>
}

/** The topics that a pipeline worked off under an earlier config, as an inbox or as those of its source. */
export interface FormerTopics {
  readonly topics: readonly string[]
  /** `leave` was called, and no instance has worked off anything since. */
  readonly isLeft: boolean
  /** Host and process of each instance that still works them off. */
  readonly owners: readonly string[]
  /** Those in which something is left, without those that the pipeline has left. */
  readonly unfinished: readonly UnfinishedTopic[]
  /** Commits these positions of the log, below which everything is acknowledged, and notes that the topics are left. */
  leave(positions: readonly Position[]): Promise<void>
}

/** A former topic. Numbers are differences of offsets. */
export interface UnfinishedTopic {
  readonly topic: string
  readonly notWorkedOff: number
  readonly notAcknowledged: number
  /** The first record that is not worked off. */
  next(): Promise<LoggedRecord | undefined>
}
