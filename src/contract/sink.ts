import type { Static, TSchema } from 'typebox'
import type { Context, Lifecycle, Log } from './context.js'
import type { BaseDefinition, RequestRead } from './definition.js'
import type { Event, Receipt, RecordHeader, SinkRecord, Target } from './event.js'
import type { ForeignTopics, FormerInbox, Inbox } from './inbox.js'
import type { InstanceGroup } from './instances.js'
import type { Metrics } from './metrics.js'
import type { TopicAdmin } from './topics.js'

/** A target, and the location in the config that names it, such as `plugins.config.json:14:60`. */
export interface LocatedTarget {
  readonly target: Target
  readonly location: string
}

export interface Sink extends Lifecycle {
  /** The targets that are checked at start. Called before `start`, and again when a new config has others. */
  expect(targets: readonly LocatedTarget[]): void
  /**
   * Checks that records can be written to these targets, which a new config has. Called while the sink runs. Rejects with
   * a HeadgateError that names the lines of those that cannot be written to. Without it, no target is checked beforehand.
   */
  check?(targets: readonly LocatedTarget[]): Promise<void>
  /** The record for an event. Pure. Throws a HeadgateError of kind `data`. `headers` come first. */
  record(event: Event, headers: readonly RecordHeader[]): SinkRecord
  /** The key of the record for an event, or null: a dead letter keeps it if there is one. */
  key(event: Event): Buffer | null
  /** The headers that the sink itself adds to the record of an event: a dead letter has as many of them as can be read. */
  headers?(event: Event): readonly RecordHeader[]
  /**
   * Resolves once the record is durable. Rejects with a HeadgateError: `data` if the record itself is at fault,
   * `infrastructure` otherwise; `uncertain` if the record may be durable all the same.
   */
  send(record: SinkRecord): Promise<Receipt>
  /**
   * The body of an event, rebuilt from its record: each value of the record stands where the sink would read it from.
   * Pure; undefined if the record is not enough. For comparing configs by records written before.
   */
  rebuild?(record: LoggedRecord): Buffer | undefined
  /** The log that the records are kept in, for a sink that can read them back. */
  readonly log?: RecordLog
  /** The inbox in this topic, for a sink that can read and commit in one transaction. Pure; called with one topic only. */
  inbox?(topic: string): Inbox
  /** One of the topics of a source, to be worked off as an inbox is; for a sink with an inbox. Pure. */
  records?(topic: string, all: ForeignTopics): Pick<Inbox, 'join'>
  /** The instances of the pipeline, for a sink on whose cluster they can see each other. Not joined yet. */
  readonly instances?: InstanceGroup
}

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
   * Undefined if the pipeline had no inbox, or if the cluster does not tell. `present`: the topic of the inbox that it has now,
   * which does not count.
   */
  formerInbox?(present?: string): Promise<FormerInbox | undefined>
  /** Commits, for each partition, the offset below which everything is acknowledged, for operators to see. */
  commit(positions: readonly Position[]): Promise<void>
}

/** A resource that several stages share, such as the connection to a cluster. */
export interface Shareable {
  /** Called when its last user has released it. */
  stop(): Promise<void>
}

/** A shared resource logs and counts under a name of its own and not for a pipeline. */
export interface SharedContext {
  /** Of the sink in the config, or of the first pipeline with such a sink. */
  readonly name: string
  readonly log: Log
  /** Their label is the name, as `sink`. */
  readonly metrics: Metrics
  /** As that of `Context`. */
  readonly signal: AbortSignal
}

/** One user's hold on a shared resource. */
export interface Lease<Thing extends Shareable> {
  readonly thing: Thing
  /** Releases it. Resolves when it has been stopped, if this was its last user. */
  release(): Promise<void>
}

export interface SinkContext extends Context {
  /** Whether the pipeline has an inbox: its records are then in transactions, and those of aborted ones do not count. */
  readonly hasInbox: boolean
  /**
   * The resource that other stages of the same plugin use under the same `key`, or a new one. Its `create`, like that of
   * the plugin, is pure; the sink releases it in `stop`. The key contains every setting that makes a difference, secrets
   * included, and is never shown.
   */
  share<Thing extends Shareable>(key: string, create: (context: SharedContext) => Thing): Lease<Thing>
}

export interface SinkDefinition<Config extends TSchema = TSchema> extends BaseDefinition<Config> {
  readonly kind: 'sink'
  /** The settings that read a part of the request: an event has no other parts of it. */
  reads?(config: Static<Config>): readonly RequestRead[]
  /** True if its sinks offer an inbox. */
  readonly inbox?: boolean
  /** If its topics can be described and created: for `headgate topics`. */
  readonly topics?: {
    /** The same text for configs with the same cluster and login. */
    cluster(config: Static<Config>): string
    /** Connects. `timeout`: milliseconds for each question. */
    open(config: Static<Config>, timeout: number): Promise<TopicAdmin>
  }
  /** Pure. Called with a checked config. */
  create(config: Static<Config>, context: SinkContext): Sink
}
