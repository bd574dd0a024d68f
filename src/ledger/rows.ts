import type { Committed, Event, Position, Receipt } from '../contract/index.js'

/** An acknowledgement that a post-commit stage has still to make. Times are those of the clock of the ledger. */
export interface PendingAck {
  readonly committed: Committed
  readonly committedAt: number
  /** The post-commit stage that it waits for. */
  readonly stage: number
  /** Attempts that this stage has made. */
  readonly attempts: number
  /** The next attempt is not made earlier. */
  readonly dueAt: number
}

/** Partition (by its number in the state, from 1 on) and offset; for events without a record 0 and a sequence number. */
export type AckKey = readonly [partition: number, offset: number]

/** A pending acknowledgement as the state keeps it. */
export interface StoredAck extends PendingAck {
  readonly key: AckKey
  /** It waits on disk, outside the memory of the process. */
  readonly spilled: boolean
}

/** The reason why an acknowledgement failed for good. */
export interface FailureReason {
  readonly code: string
  readonly message: string
}

/** An acknowledgement that is not attempted any more, until an operator asks for it. */
export interface FailedAck extends StoredAck {
  readonly reason: FailureReason
  readonly failedAt: number
}

/**
 * Maps a post-commit stage of the present config to the stage of the next config; infinite if no stage is left to
 * notify.
 */
export type StageAfter = (stage: number) => number

/** The notification that post-commit stages get for an event; an event that was dropped has no receipt. */
export function committedOf(
  { id, traceparent, tracestate }: Pick<Event, 'id' | 'traceparent' | 'tracestate'>,
  receipt?: Receipt,
): Committed {
  if (traceparent === undefined) return receipt === undefined ? { id } : { id, receipt }
  if (tracestate === undefined)
    return receipt === undefined ? { id, traceparent } : { id, receipt, traceparent }
  return receipt === undefined ? { id, traceparent, tracestate } : { id, receipt, traceparent, tracestate }
}

/** A pending acknowledgement on disk. */
export type AckRow = readonly [
  id: string,
  traceparent: string | null,
  committedAt: number,
  stage: number,
  attempts: number,
  dueAt: number,
  spilled: 0 | 1,
  /** Only if there is one. Versions that do not know it leave it out. */
  tracestate?: string,
]

export function toRow({ committed, committedAt, stage, attempts, dueAt, spilled }: StoredAck): AckRow {
  const { id, traceparent = null, tracestate } = committed
  return tracestate === undefined
    ? [id, traceparent, committedAt, stage, attempts, dueAt, spilled ? 1 : 0]
    : [id, traceparent, committedAt, stage, attempts, dueAt, spilled ? 1 : 0, tracestate]
}

export function fromRow(key: AckKey, row: AckRow, receipt: Position | undefined): StoredAck {
  const [id, traceparent, committedAt, stage, attempts, dueAt, spilled, tracestate] = row
  const committed = {
    id,
    ...(receipt !== undefined && { receipt }),
    ...(traceparent !== null && { traceparent }),
    ...(tracestate !== undefined && { tracestate }),
  }
  return { key, committed, committedAt, stage, attempts, dueAt, spilled: spilled === 1 }
}

/** Acknowledgements without an attempt are level 0; the more attempts failed, the higher the level. */
export const LEVELS = 6

/** 1 attempt is level 1, 2 and 3 are level 2, 4 to 7 level 3, and so on. */
export const levelOf = (attempts: number): number =>
  attempts === 0 ? 0 : Math.min(LEVELS - 1, 1 + Math.floor(Math.log2(attempts)))

/** The key of a row in the table of spilled acknowledgements: within each level, the earliest due comes first. */
export type SpilledKey = readonly [
  level: number,
  dueAt: number,
  stage: number,
  partition: number,
  offset: number,
]

export const spilledKey = ({ attempts, dueAt, stage, key: [partition, offset] }: StoredAck): SpilledKey => [
  levelOf(attempts),
  dueAt,
  stage,
  partition,
  offset,
]
