/** What a clock showed, and what the wall clock showed then. Kept on disk. */
export type ClockReading = readonly [ledger: number, wall: number]

/**
 * The clock of a ledger: milliseconds since the epoch as the wall clock had them at the first start. It never goes back, and
 * does not follow a wall clock that is set: due times, deadlines and ages are right however often that happens.
 */
export interface LedgerClock {
  now(): number
  /** What it showed when the wall clock, also that of another machine, showed this; never what is to come. */
  at(wall: number): number
  reading(): ClockReading
}

/**
 * How much of the time between two runs counts, in milliseconds. Whether the process was down for two days or the wall clock
 * was set forward meanwhile, nobody can tell: acknowledgements must not reach their deadline by that.
 */
const LONGEST_GAP = 3_600_000

/** Goes on from what it showed in the run before. */
export function ledgerClock(last: ClockReading | undefined): LedgerClock {
  const wall = Date.now()
  const start = last === undefined ? wall : last[0] + Math.min(Math.max(wall - last[1], 0), LONGEST_GAP)
  const offset = start - performance.now()
  const now = (): number => Math.floor(offset + performance.now())
  return {
    now,
    at: (wallTime) => now() - Math.max(0, Date.now() - wallTime),
    reading: () => [now(), Date.now()],
  }
}
