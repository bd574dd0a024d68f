import type { Committed, Position } from '../contract/index.js'
import type { FailureReason, StoredAck } from '../ledger/rows.js'

/** The failed acknowledgements of a pipeline with an inbox: every instance finds those of all. */
export interface FailedAckStore {
  /** Resolves with the position of the failed acknowledgement once it is durable. */
  keep(failed: StoredAck, reason: FailureReason): Promise<Position>
  /** All that were neither acknowledged nor discarded since, oldest first. Reads everything. */
  open(): Promise<readonly KeptAck[]>
  /** Those of `positions` that are still open. Reads on from the last call, and first from the oldest of them. */
  stillOpen(positions: readonly Position[]): Promise<readonly Position[]>
  /** Resolves when it is durable that these were acknowledged. */
  acknowledged(positions: readonly Position[]): Promise<void>
}

/** A failed acknowledgement as it was kept. */
export interface KeptAck {
  readonly position: Position
  readonly committed: Committed
  /** The post-commit stage; undefined if the config has no such stage any more. */
  readonly stage: number | undefined
  readonly reason: FailureReason
  /** Milliseconds since the epoch. */
  readonly failedAt: number
  /** False if nothing proves that the pipeline wrote it. */
  readonly isProven: boolean
}
