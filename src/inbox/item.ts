import { asHeadgateError, type HeadgateError } from '../contract/errors.js'
import type { LoggedRecord, Receipt, SinkRecord } from '../contract/index.js'
import { type DedupBy, identityOf } from '../ledger/identity.js'
import type { DecidedEvent } from '../pipeline/decision.js'
import type { EventContext } from '../pipeline/event-log.js'
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
  /** Of a record that others wrote: nobody has counted its event yet. */
  uncounted?: { readonly place: Receipt; readonly context: EventContext }
  /** For an event that could not be decided on. */
  readonly again?: () => Item | Promise<Item>
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
  /** A fault of ours: it waits, and is decided on again. */
  | { readonly kind: 'undecided'; readonly error: HeadgateError }

/** An event as a restore needs it: nothing is decided again. */
export type PastEvent = Pick<DecidedEvent, 'event' | 'digest'>

/** Makes the dead letter of a record that cannot be read. */
export type MakeUnreadableLetter = (record: LoggedRecord, error: HeadgateError) => SinkRecord

/** The stage that dead letters of unreadable records name. */
export const INBOX_STAGE = 'inbox'

/** An event that was decided on when it was accepted. */
export function itemOf(record: LoggedRecord, by: DedupBy, unreadableLetter: MakeUnreadableLetter): Item {
  try {
    const decided = fromInboxRecord(record)
    return decidedItem(record, decided, identityOf(decided.digest, decided.event.id, by), actionOf(decided))
  } catch (thrown) {
    const error = asHeadgateError(thrown, 'The inbox')
    return unreadableItem(record, error, INBOX_STAGE, unreadableLetter)
  }
}

export const decidedItem = (
  { partition, offset, timestamp, value }: LoggedRecord,
  decided: DecidedEvent | undefined,
  identity: string | undefined,
  action: Action,
): Item => ({ partition, offset, timestamp, bytes: value.length, decided, identity, action })

export const unreadableItem = (
  record: LoggedRecord,
  error: HeadgateError,
  stage: string,
  unreadableLetter: MakeUnreadableLetter,
): Item =>
  decidedItem(record, undefined, undefined, {
    kind: 'dead-lettered',
    record: unreadableLetter(record, error),
    stage,
    error,
  })

/** The id of an event that has none. */
export const placeOf = ({ topic, partition, offset }: Receipt): string => `${topic}-${partition}@${offset}`

/** The event of a record of an inbox. An earlier owner has written a dead letter for one that cannot be read. */
export function pastEventOf(record: LoggedRecord): PastEvent | undefined {
  try {
    return fromInboxRecord(record)
  } catch {
    return undefined
  }
}

/** A refusal is never in the inbox: its sender has it as a response. */
export function actionOf({ verdict }: DecidedEvent): Action {
  switch (verdict.kind) {
    case 'send':
      return { kind: 'delivered', record: verdict.record }
    case 'dead-letter':
      return { kind: 'dead-lettered', record: verdict.record, stage: verdict.stage, error: verdict.error }
    default:
      return { kind: 'dropped' }
  }
}
