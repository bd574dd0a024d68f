/** The buckets of a histogram: for each upper bound, in seconds, how many events were no later. */
export type Delays = ReadonlyMap<number, number>

const BUCKET = /^headgate_inbox_delay_seconds_bucket\{.*le="([^"]+)".*\} (\d+)/gm

/** The sum over all instances of a program. */
export async function readDelays(admins: readonly string[]): Promise<Delays> {
  const pages = await Promise.all(
    admins.map(async (admin) => (await fetch(new URL('/metrics', admin))).text()),
  )
  return pages.map(delaysIn).reduce(together, new Map())
}

export function delaysIn(metrics: string): Delays {
  const buckets = new Map<number, number>()
  for (const [, bound = '', count] of metrics.matchAll(BUCKET)) {
    const upper = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound)
    buckets.set(upper, (buckets.get(upper) ?? 0) + Number(count))
  }
  return buckets
}

export const together = (one: Delays, other: Delays): Delays =>
  new Map(
    [...new Set([...one.keys(), ...other.keys()])].map((bound) => [bound, at(one, bound) + at(other, bound)]),
  )

export const since = (before: Delays, now: Delays): Delays =>
  new Map([...now].map(([bound, count]) => [bound, count - at(before, bound)]))

const at = (delays: Delays, bound: number): number => delays.get(bound) ?? 0

/** Milliseconds: as Prometheus does it, events are spread evenly within a bucket. NaN without events. */
export function quantile(delays: Delays, share: number): number {
  const bounds = [...delays.keys()].sort((one, other) => one - other)
  const wanted = share * (delays.get(Number.POSITIVE_INFINITY) ?? 0)
  let [lower, below] = [0, 0]
  for (const bound of bounds) {
    const count = at(delays, bound)
    if (count >= wanted && count > below) {
      const upper = Number.isFinite(bound) ? bound : lower
      return 1000 * (lower + (upper - lower) * ((wanted - below) / (count - below)))
    }
    ;[lower, below] = [bound, count]
  }
  return Number.NaN
}
