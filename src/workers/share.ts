/** The part of a bound of the process that each worker keeps to, rounded up so that there is some. */
export const shareOf = (bound: number, workers: number): number => Math.ceil(bound / Math.max(1, workers))
