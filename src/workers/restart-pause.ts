/** All in milliseconds. */
const FIRST = 100
const LONGEST = 30_000
/** Who has lived so long did not die of how it was started. */
const STABLE = 60_000

/** How long to wait before a worker that has `lived` is replaced, where one in its place had to wait `before`. */
export const restartPause = (lived: number, before: number): number =>
  lived >= STABLE ? 0 : Math.min(LONGEST, Math.max(FIRST, before * 2))
