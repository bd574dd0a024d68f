import type { Position } from '../../plugin.js'
import type { FailureReason, Pending } from './ledger.js'

/** Where an event is in Kafka; `committedAt` is when that was learned, in milliseconds since the epoch. */
export interface Known {
  readonly position: Position
  readonly committedAt: number
}

/** Partition (as a number of ours, from 1 on) and offset; for events without a record 0 and a number of their own. */
export type OwedKey = readonly [partition: number, offset: number]

/** An acknowledgement that is owed; `key` is its place in the state. */
export interface Owed extends Pending {
  readonly key: OwedKey
}

/** An acknowledgement that was given up. */
export interface Failed extends Owed {
  readonly reason: FailureReason
  readonly failedAt: number
}

/** An owed acknowledgement as it stands on disk. */
export type Row = readonly [
  id: string,
  traceparent: string | null,
  committedAt: number,
  stage: number,
  attempts: number,
  dueAt: number,
  parked: 0 | 1,
]

export const keyText = ([partition, offset]: OwedKey): string => `${partition}:${offset}`

export const owedRow = ({ committed, committedAt, stage, attempts, dueAt }: Owed, parked: boolean): Row => [
  committed.id,
  committed.traceparent ?? null,
  committedAt,
  stage,
  attempts,
  dueAt,
  parked ? 1 : 0,
]

export function toOwed(key: OwedKey, row: Row, receipt: Position | undefined): Owed {
  const [id, traceparent, committedAt, stage, attempts, dueAt] = row
  const committed = {
    id,
    ...(receipt !== undefined && { receipt }),
    ...(traceparent !== null && { traceparent }),
  }
  return { key, committed, committedAt, stage, attempts, dueAt }
}
