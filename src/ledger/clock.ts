/** The times of the clock and of the wall clock at one moment. Stored on disk. */
export type ClockReading = readonly [ledger: number, wall: number]

/**
 * The most milliseconds that count between two runs: a process that was down for two days looks the same as a wall
 * clock that was set forward, and that must not make acknowledgements reach their deadline.
 */
const LONGEST_GAP = 3_600_000

/**
 * The clock of a ledger: milliseconds since the epoch as the wall clock had them at the first start. It never goes back, and
 * does not follow a wall clock that is set, so that due times, deadlines and ages stay right.
 */
export class LedgerClock {
  readonly #offset: number

  /** Continues from the last reading of the run before. */
  constructor(last: ClockReading | undefined) {
    const wall = Date.now()
    const start = last === undefined ? wall : last[0] + Math.min(Math.max(wall - last[1], 0), LONGEST_GAP)
    this.#offset = start - performance.now()
  }

  now(): number {
    return Math.floor(this.#offset + performance.now())
  }

  /** The time on this clock when a wall clock, also that of another machine, showed `wall`; never a time to come. */
  at(wall: number): number {
    return this.now() - Math.max(0, Date.now() - wall)
  }

  reading(): ClockReading {
    return [this.now(), Date.now()]
  }
}
