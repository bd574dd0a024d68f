import type { Position } from '../contract/index.js'
import type { FailureReason, Pending } from './ledger.js'

/** Partition (as a number of ours, from 1 on) and offset; for events without a record 0 and a number of their own. */
export type OwedKey = readonly [partition: number, offset: number]

/** The post-commit stage that what waits for one goes on at under another config; infinite where none is left to be told. */
export type StageAfter = (stage: number) => number

/** An event that is known, by the key of its record; `committedAt` is when it was learned, in milliseconds since the epoch. */
export interface Known {
  readonly key: OwedKey
  readonly committedAt: number
}

/** An acknowledgement that is owed; `key` is its place in the state. */
export interface Owed extends Pending {
  readonly key: OwedKey
  /** Not in memory: waits on disk for its turn. */
  readonly parked: boolean
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
  /** Only where there is one. Versions that do not know it leave it out. */
  tracestate?: string,
]

export function owedRow({ committed, committedAt, stage, attempts, dueAt, parked }: Owed): Row {
  const { id, traceparent = null, tracestate } = committed
  return tracestate === undefined
    ? [id, traceparent, committedAt, stage, attempts, dueAt, parked ? 1 : 0]
    : [id, traceparent, committedAt, stage, attempts, dueAt, parked ? 1 : 0, tracestate]
}

export function toOwed(key: OwedKey, row: Row, receipt: Position | undefined): Owed {
  const [id, traceparent, committedAt, stage, attempts, dueAt, parked, tracestate] = row
  const committed = {
    id,
    ...(receipt !== undefined && { receipt }),
    ...(traceparent !== null && { traceparent }),
    ...(tracestate !== undefined && { tracestate }),
  }
  return { key, committed, committedAt, stage, attempts, dueAt, parked: parked === 1 }
}
