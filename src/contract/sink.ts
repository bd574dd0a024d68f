import type { Static, TSchema } from 'typebox'
import type { Context, Lifecycle, Log } from './context.js'
import type { BaseDefinition, RequestRead } from './definition.js'
import type { Event, Receipt, RecordHeader, SinkRecord, Target } from './event.js'
import type { ForeignTopics, Inbox } from './inbox.js'
import type { InstanceGroup } from './instances.js'
import type { Metrics } from './metrics.js'
import type { LoggedRecord, RecordLog } from './record-log.js'
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
