/** When the events of an open loop are due, evenly spaced, on the clock of `clock()`. */
interface Schedule {
  readonly count: number
  /** Milliseconds between looks at what is due. */
  readonly tick: number
  dueAt(event: number): number
  /** How many are due by `now`. */
  dueBy(now: number): number
}

/** Waking up more often would cost more than sending. */
const SHORTEST_TICK = 0.5

/** `rate` a second, for so many seconds from `start` on. */
export function createSchedule(start: number, rate: number, seconds: number): Schedule {
  const distance = 1000 / rate
  const count = Math.floor(rate * seconds)
  const dueAt = (event: number): number => start + event * distance
  return {
    count,
    tick: Math.max(distance, SHORTEST_TICK),
    dueAt,
    dueBy(now) {
      const near = Math.max(0, Math.min(count, Math.round((now - start) / distance)))
      // Division and multiplication need not agree in the last digit.
      return near < count && dueAt(near) <= now ? near + 1 : near
    },
  }
}

/** Milliseconds on a clock that all threads of a process share, unlike `performance.now()`. */
export const clock = (): number => Number(process.hrtime.bigint()) / 1e6
