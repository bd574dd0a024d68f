import { asHeadgateError, type HeadgateError } from '../contract/errors.js'
import type { LoggedRecord, SinkRecord } from '../contract/index.js'
import { type DedupBy, identityOf } from '../ledger/identity.js'
import type { DecidedEvent } from '../pipeline/decision.js'
import { fromInboxRecord } from './inbox-record.js'

/** An event of the inbox that is not worked off yet. */
export interface Item {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch, by the clock of the instance that accepted it. */
  readonly timestamp: number
  /** Undefined if the record cannot be read. */
  readonly decided: DecidedEvent | undefined
  /** Undefined if the record cannot be read. */
  readonly identity: string | undefined
  readonly bytes: number
  /** The way in which it ends, unless it is a redelivery. */
  action: Action
}

export type Action =
  | { readonly kind: 'delivered'; readonly record: SinkRecord }
  | {
      readonly kind: 'dead-lettered'
      readonly record: SinkRecord
      readonly stage: string
      readonly error: HeadgateError
    }
  | { readonly kind: 'dropped' }

/** Makes the dead letter of a record that cannot be read. */
export type MakeUnreadableLetter = (record: LoggedRecord, error: HeadgateError) => SinkRecord

/** The stage that dead letters of unreadable records name. */
export const INBOX_STAGE = 'inbox'

export function itemOf(record: LoggedRecord, by: DedupBy, unreadableLetter: MakeUnreadableLetter): Item {
  const { partition, offset, timestamp } = record
  const place = { partition, offset, timestamp, bytes: record.value.length }
  try {
    const decided = fromInboxRecord(record)
    const identity = identityOf(decided.digest, decided.event.id, by)
    return { ...place, decided, identity, action: actionOf(decided) }
  } catch (thrown) {
    const error = asHeadgateError(thrown, 'The inbox')
    const letter = unreadableLetter(record, error)
    return {
      ...place,
      decided: undefined,
      identity: undefined,
      action: { kind: 'dead-lettered', record: letter, stage: INBOX_STAGE, error },
    }
  }
}

/** A refusal is never in the inbox: its sender has it as a response. */
function actionOf({ verdict }: DecidedEvent): Action {
  switch (verdict.kind) {
    case 'send':
      return { kind: 'delivered', record: verdict.record }
    case 'dead-letter':
      return { kind: 'dead-lettered', record: verdict.record, stage: verdict.stage, error: verdict.error }
    default:
      return { kind: 'dropped' }
  }
}
