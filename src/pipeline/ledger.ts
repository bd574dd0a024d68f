import type { Committed, Event, Outcome } from '../plugin.js'

/** An acknowledgement that a post-commit stage still owes the sender. Times are milliseconds since the epoch. */
export interface Pending {
  readonly committed: Committed
  readonly committedAt: number
  /** Attempts made by the stage that it waits for. */
  readonly attempts: number
  /** Not to be tried before. */
  readonly dueAt: number
}

/**
 * Remembers what is durable and what is still to be acknowledged. The pipeline asks it before an event is processed
 * and tells it how that ended; the acknowledger of each post-commit stage takes from it.
 */
export interface Ledger {
  /**
   * Runs `deliver`, unless this very event (same id, same bytes) is known already: then the outcome is `duplicate`, and
   * its acknowledgement becomes due again. Copies in flight at once share one run. Where no more acknowledgements can be
   * kept the outcome is `unavailable`, and nothing ran.
   */
  once(event: Event, deliver: () => Promise<Outcome>): Promise<Outcome>
  /** Takes the acknowledgement that has been due longest at a post-commit stage; it is then settled by one of the next three. */
  take(stage: number, now: number): Pending | undefined
  acknowledged(stage: number, pending: Pending): void
  retry(stage: number, pending: Pending, dueAt: number): void
  failed(stage: number, pending: Pending): void
  /** When `take` will have one; undefined while there is none. */
  dueAt(stage: number): number | undefined
  /** Calls `wake` whenever an acknowledgement of the stage was added. */
  onAdded(stage: number, wake: () => void): void
  /** What is not yet acknowledged by every stage, the ones being tried included. */
  backlog(): { readonly count: number; readonly oldest: number | undefined }
}
