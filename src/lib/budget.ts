import { HeadgateError } from '../contract/errors.js'

/**
 * Steps that one search or one evaluation may take. A step is the work of RE2's NFA for one instruction and one character: 15 to
 * 30 ns. All of them take 0.1 to 0.3 s; an ordinary rule takes some hundreds for an event of a KB.
 */
export const STEPS = 8_000_000

/**
 * Limits the work that the bytes of a stranger can cause. Counts steps and not milliseconds: the outcome of an event must not
 * depend on how busy the machine is.
 */
export class Budget {
  left = STEPS

  /** Throws HG_EVENT_TOO_COSTLY if fewer steps are left. */
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
    `The event takes too much work to check: more than ${STEPS} steps.`,
  )
