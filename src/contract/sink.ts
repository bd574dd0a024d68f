import type { Event, Receipt, RecordHeader, SinkRecord, Target } from './event.js'
import type { LoggedRecord, RecordLog } from './record-log.js'
import type { Lifecycle } from './stage.js'

/** A target, and where the config names it (`plugins.config.json:14:60`). */
export interface PlacedTarget {
  readonly target: Target
  readonly place: string
}

export interface Sink extends Lifecycle {
  /** The targets that are checked at start. Called before `start`, and again when a new config has others. */
  expect(targets: readonly PlacedTarget[]): void
  /**
   * Whether records can be written to these targets, which a new config has. Called while the sink runs. Rejects with a
   * HeadgateError that names the places of those where they cannot. Without it, no target is checked beforehand.
   */
  check?(targets: readonly PlacedTarget[]): Promise<void>
  /** What would be written for an event. Pure. Throws a HeadgateError of kind `data`. `headers` come first. */
  record(event: Event, headers: readonly RecordHeader[]): SinkRecord
  /** The key an event would have, or null: a dead letter keeps it where it has one. */
  key(event: Event): Buffer | null
  /** The headers that the sink itself gives to the record of an event: a dead letter has those that can be had. */
  headers?(event: Event): readonly RecordHeader[]
  /**
   * Resolves once the record is durable. Rejects with a HeadgateError: `data` where the record itself is at fault,
   * `infrastructure` otherwise; `uncertain` where the record may be durable all the same.
   */
  send(record: SinkRecord): Promise<Receipt>
  /**
   * The body of an event as far as a record tells it: what the record holds stands where the sink would take it from.
   * Pure; undefined where nothing can be made of it. For comparing configs by what has been written.
   */
  rebuild?(record: LoggedRecord): Buffer | undefined
  /** Where the records are kept, for a sink that can read them back. */
  readonly log?: RecordLog
}
