import type { RecordHeader } from './event.js'

/** A place in a partition. */
export interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A partition of the log as it is now. */
export interface LogPartition {
  readonly topic: string
  readonly partition: number
  /** The oldest record that is still kept. */
  readonly start: number
  /** Behind the newest record. */
  readonly end: number
  /** Where `commit` left it; undefined where nothing was ever committed. */
  readonly committed: number | undefined
}

/** A record as it is read back. */
export interface LoggedRecord extends Position {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: Buffer | null
  /** Empty where the record has none. */
  readonly value: Buffer
  /** The first of this name; undefined where the record has none. */
  header(name: string): string | undefined
  /** All of them, in their order. */
  headers(): readonly RecordHeader[]
}

/**
 * What a sink has written, as far as the ledger needs it: it is the ledger's source of truth. All of it rejects with a
 * HeadgateError of kind `infrastructure` while the log cannot be reached, and may be tried again.
 */
export interface RecordLog {
  /**
   * Gives up all that was sent and not confirmed: what of it is not in the log when this resolves will not be there
   * later. Their `send` rejects. Afterwards the sink takes records again.
   */
  fence(): Promise<void>
  /**
   * Every partition that records of the pipeline can be in: those of its targets, and `also` others, which it wrote to
   * under an earlier config; of these, what is no more is left out.
   */
  partitions(also?: readonly Omit<Position, 'offset'>[]): Promise<readonly LogPartition[]>
  /**
   * Tells topics apart that have the same name: one that was deleted and created again, or that of another cluster, has
   * another identity. A topic that does not exist is left out; when it is one of a target, this rejects. Resolves with undefined when
   * nobody can tell now: records are compared then.
   */
  identify?(topics: readonly string[]): Promise<ReadonlyMap<string, string> | undefined>
  /** For each partition the offset of the first record that is not older than `timestamp`; its end where there is none. */
  offsetsAt(timestamp: number): Promise<readonly Position[]>
  /**
   * Visits what stands from each position to the end that the partition has now, in the order of the offsets. What `visit`
   * throws ends the reading, which rejects with it.
   */
  read(from: readonly Position[], visit: (record: LoggedRecord) => void): Promise<void>
  /** Keeps, for each partition, the offset below which everything is acknowledged, where operators can see it. */
  commit(positions: readonly Position[]): Promise<void>
}
