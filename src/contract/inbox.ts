import type { HeadgateError } from './errors.js'
import type { Receipt, SinkRecord } from './event.js'
import type { LoggedRecord } from './record-log.js'

/**
 * A topic in which events are durable before they are worked off. The instances of a pipeline share its partitions, as a
 * group. A sink that offers an inbox can read and commit in one transaction.
 */
export interface Inbox {
  /**
   * As `Sink.send`. The key alone decides the partition, and equal keys have the same partition for as long as there is an
   * inbox, whichever instance sends and however many partitions the topic gets.
   */
  send(record: SinkRecord): Promise<Receipt>
  /**
   * `begun` if an instance has worked it off since the pipeline has it. `others` before that, while an instance runs that has
   * no inbox. `new` otherwise. Rejects as `join` does.
   */
  status(): Promise<'begun' | 'others' | 'new'>
  /** Undoes a note that the pipeline has left it: for an instance that begins with it again, so that others find it `begun`. */
  reuse(): Promise<void>
  /**
   * Joins the group. Resolves before any partition is assigned. Rejects with a HeadgateError; of kind `config` if the cluster
   * will never allow it.
   */
  join(): Promise<InboxMember>
}

/** Where a partition begins for which no instance has committed anything; for a time, milliseconds since the epoch. */
export type InboxStart = 'earliest' | 'latest' | number

/** Topics of other programs, which a pipeline works off as it does an inbox. */
export interface ForeignTopics {
  readonly start: InboxStart
  /** All topics of the pipeline. */
  readonly topics: readonly string[]
}

/** An offset for each of some partitions of the inbox. */
export type InboxOffsets = ReadonlyMap<number, number>

/**
 * One instance in the group of an inbox. Only one of its methods `poll` and `transaction` may be in progress at a time.
 * `poll`, `bounds`, `ends`, `offsetAt`, `read` and `acknowledged` reject with a HeadgateError of kind `infrastructure`, and may be
 * retried.
 */
export interface InboxMember {
  /** How many partitions the inbox uses. Others of its topic are never assigned. */
  readonly partitions: number
  /**
   * The next records of the partitions that are assigned and resumed, at most `limit`, in the order of the offsets within each
   * partition; some may come again. Soon resolves without any if there are none. Assignments change only in this call, so never during a
   * transaction. The caller must forget a revoked partition before its next call.
   */
  poll(limit: number): Promise<InboxPoll>
  /** Lets `poll` return records of an assigned partition, from the committed offset on the first time. */
  resume(partition: number): void
  /** Undoes `resume`; records of the partition that are not polled yet come after the next one. */
  pause(partition: number): void
  /** The offsets of an assigned partition. Waits until no transaction of an earlier owner is open. */
  bounds(partition: number): Promise<InboxBounds>
  /** Behind the newest record of an assigned partition, as far as it is known without a request. */
  end(partition: number): number | undefined
  /** The same by a request. */
  ends(partitions: readonly number[]): Promise<InboxOffsets>
  /**
   * Milliseconds for which the topic keeps a record; undefined if it has no such bound, or if the cluster does not tell. Never
   * rejects.
   */
  retention(): Promise<number | undefined>
  /** The offset of the first record that is not older than `timestamp`; the end of the partition if there is none. */
  offsetAt(partition: number, timestamp: number): Promise<number>
  /** Visits the records from `from` to before `to`. */
  read(partition: number, from: number, to: number, visit: (record: LoggedRecord) => void): Promise<void>
  /**
   * Writes the records and commits the offsets, both or neither. Never rejects. The group is the fence: a member that has lost
   * a partition cannot commit an offset of it.
   */
  transaction(records: readonly SinkRecord[], offsets: InboxOffsets): Promise<TransactionResult>
  /** Commits, for each partition, the offset below which everything is acknowledged. Lag of its group shows the rest. */
  acknowledged(offsets: InboxOffsets): Promise<void>
  /** The state of the whole group, for operators. Rejects as `poll` does. */
  progress(): Promise<InboxGroup>
  /** Gives its partitions to the other members, without a wait for the end of its session. Called between two calls of `poll`. */
  leave(): Promise<void>
}

/** The instances that share an inbox, each by its host and process, and its partitions. */
export interface InboxGroup {
  /** This one. */
  readonly own: string
  /** All of them, also those without a partition; undefined if the cluster does not tell. */
  readonly instances?: readonly string[]
  readonly partitions: readonly InboxProgress[]
}

/** The state of a partition of the inbox, whichever instance owns it. Numbers are differences of offsets. */
export interface InboxProgress {
  readonly partition: number
  /** Host and process of the instance that owns it; undefined if none does, or if the cluster does not tell. */
  readonly owner?: string
  /** Events that are accepted and not worked off. */
  readonly notWorkedOff: number
  /** Events that are worked off and may not be acknowledged. */
  readonly notAcknowledged: number
  /** When the oldest of all these was accepted, in milliseconds since the epoch; undefined if there are none. */
  readonly oldestAt?: number
}

export interface InboxPoll {
  readonly assigned: readonly number[]
  readonly revoked: readonly number[]
  readonly records: readonly LoggedRecord[]
}

export interface InboxBounds {
  /** The oldest record that is still kept. */
  readonly start: number
  /** Behind the newest record. */
  readonly end: number
  /** Below it, every event has been worked off; `start` if nothing was committed. */
  readonly committed: number
  /** Below it, every event has been acknowledged; undefined if nothing was committed. */
  readonly acknowledged: number | undefined
}

/** In all cases but the first, nothing was written or committed. */
export type TransactionResult =
  | { readonly kind: 'committed' }
  /** The group has changed. The partitions that this member keeps can be worked off after the next `poll`. */
  | { readonly kind: 'fenced' }
  /** The record at `index` is at fault: its error is of kind `data`. */
  | { readonly kind: 'refused'; readonly index: number; readonly error: HeadgateError }
  /** It can be tried again later. */
  | { readonly kind: 'unavailable'; readonly error: HeadgateError }
