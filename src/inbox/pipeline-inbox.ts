import type { HeadgateError } from '../contract/errors.js'
import type { LoggedRecord, Outcome, SinkRecord } from '../contract/index.js'
import type { DecidedEvent } from '../pipeline/decision.js'
import type { EventContext } from '../pipeline/event-log.js'
import type { FailedAckStore } from './failed-ack-store.js'
import type { Action, Item } from './item.js'

/** The inbox of a pipeline under one config. */
export interface PipelineInbox {
  /** The second half of the path for an event that is not refused: resolves once it is durable in the inbox. Never rejects. */
  accept(decided: DecidedEvent, context: EventContext): Promise<Outcome>
  /** The way in which an accepted event ends whose record Kafka refuses: its sender cannot be told any more. */
  refused(decided: DecidedEvent, error: HeadgateError): Action
  unreadableLetter(record: LoggedRecord, error: HeadgateError): SinkRecord
  readonly failedAcks: FailedAckStore
  /** Counts an event whose transaction is committed. */
  workedOff(item: Item, isDuplicate: boolean): void
}
