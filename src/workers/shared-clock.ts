/** Milliseconds by which this process' `performance.now` is behind the clock that all processes of a machine share. */
const BEHIND = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/** A time of `performance.now`, as another process on this machine can understand it; and back. */
export const toSharedClock = (ms: number): number => ms + BEHIND
export const fromSharedClock = (ms: number): number => ms - BEHIND
