import { HeadgateError } from '../../../contract/errors.js'
import { Budget } from '../../../lib/budget.js'

/**
 * How much work one event may cause. A schema that refers to itself in alternatives makes it grow by powers of the depth of
 * the event, and neither ajv nor a limit of the body's size knows of that. A step takes 10 to 50 ns.
 */
const STEPS = 1_000_000
/** Of a large event every byte may be a value of its own. */
const STEPS_PER_BYTE = 12
const MOST_STEPS = 16_000_000
/** A second look at an event that does not fit, for the list of everything that is wrong with it. */
const REPORT_STEPS_PER_BYTE = 4
const MOST_REPORT_STEPS = 6_000_000

export class Work extends Budget {
  /** `left` is counted down by the code that ajv generates, too. */
  begin(bytes: number): void {
    this.left = Math.min(MOST_STEPS, STEPS + STEPS_PER_BYTE * bytes)
  }

  beginReport(bytes: number): void {
    this.left = Math.min(MOST_REPORT_STEPS, STEPS + REPORT_STEPS_PER_BYTE * bytes)
  }

  override spend(steps: number): void {
    this.left -= steps
    if (this.left < 0) this.end()
  }

  end(): never {
    throw new HeadgateError(
      'HG_SCHEMA_TOO_COSTLY',
      'The event takes more work to check against the schema than one event may.',
    )
  }
}
