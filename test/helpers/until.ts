import { vi } from 'vitest'

/** Resolves when `condition` holds. The time is a bound, not a wait: on a busy machine the default of a second is soon over. */
export const until = (condition: () => boolean | Promise<boolean>): Promise<unknown> =>
  vi.waitUntil(condition, { timeout: 15_000, interval: 10 })
