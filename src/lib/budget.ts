import { HeadgateError } from '../contract/errors.js'

/**
 * Steps that one search or one evaluation may take. A step is what RE2's NFA does for one instruction and one character: 15
 * to 30 ns. All of them take 0.1 to 0.3 s; an ordinary rule takes some hundreds for an event of a KB.
 */
export const STEPS = 8_000_000

/**
 * Counts the work that a stranger's bytes cause, so that it ends. Steps are counted and not milliseconds: a busy machine
 * must not decide what becomes of an event.
 */
export class Budget {
  left = STEPS

  /** Throws HG_EVENT_TOO_COSTLY when there are not so many steps left. */
  spend(steps: number): void {
    this.left -= steps
    if (this.left < 0) throw tooCostly()
  }

  renew(): void {
    this.left = STEPS
  }

  get spent(): number {
    return STEPS - this.left
  }
}

const tooCostly = (): HeadgateError =>
  new HeadgateError(
    'HG_EVENT_TOO_COSTLY',
    `To check the event would take more work than one event may cause (${STEPS} steps).`,
  )
