/**
 * An estimate of a quantile from the buckets of a histogram, as Prometheus makes it: the observations of a bucket are taken to be
 * spread evenly. `counts`: of each bucket, the last without an upper bound; more values are ignored. Undefined without observations.
 */
export function quantile(
  q: number,
  bounds: readonly number[],
  counts: readonly number[],
): number | undefined {
  let total = 0
  for (let bucket = 0; bucket <= bounds.length; bucket++) total += counts[bucket] as number
  if (total === 0) return undefined
  let rank = q * total
  for (let bucket = 0; bucket < bounds.length; bucket++) {
    const upper = bounds[bucket] as number
    const count = counts[bucket] as number
    const lower = bounds[bucket - 1] ?? 0
    if (rank <= count && count > 0) return lower + ((upper - lower) * rank) / count
    rank -= count
  }
  return bounds.at(-1)
}
