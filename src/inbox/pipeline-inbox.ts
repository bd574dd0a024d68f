import type { HeadgateError } from '../contract/errors.js'
import type { LoggedRecord, Outcome } from '../contract/index.js'
import type { DedupBy } from '../ledger/identity.js'
import type { DecidedEvent } from '../pipeline/decision.js'
import type { EventContext } from '../pipeline/event-log.js'
import type { FailedAckStore } from './failed-ack-store.js'
import type { Action, Item, PastEvent } from './item.js'

/** The inbox of a pipeline under one config, or the topics of its source, which are worked off in the same way. */
export interface PipelineInbox {
  /**
   * The second half of the path for an event that is not refused: resolves once it is durable in the inbox. Never rejects.
   * Undefined if others write to the topics.
   */
  accept?(decided: DecidedEvent, context: EventContext): Promise<Outcome>
  /** The event of a record, and the way in which it ends. Never rejects. */
  read(record: LoggedRecord, by: DedupBy): Item | Promise<Item>
  /** The event of a record that is worked off; undefined if there was none. */
  past(record: LoggedRecord): PastEvent | undefined
  /** The way in which an accepted event ends whose record Kafka refuses: its sender cannot be told any more. */
  refused(decided: DecidedEvent, error: HeadgateError): Action
  readonly failedAcks: FailedAckStore
  /** Counts an event whose transaction is committed. */
  workedOff(item: Item, isDuplicate: boolean): void
}
