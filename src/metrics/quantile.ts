/**
 * An estimate of a quantile from the buckets of a histogram, as Prometheus makes it: the observations of a bucket are taken to be
 * spread evenly. `counts`: of each bucket, the last without an upper bound. Undefined without observations.
 */
export function quantile(
  q: number,
  bounds: readonly number[],
  counts: readonly number[],
): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  let rank = q * total
  for (const [bucket, upper] of bounds.entries()) {
    const count = counts[bucket] as number
    const lower = bounds[bucket - 1] ?? 0
    if (rank <= count && count > 0) return lower + ((upper - lower) * rank) / count
    rank -= count
  }
  return bounds.at(-1)
}
