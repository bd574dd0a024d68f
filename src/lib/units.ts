import { Type } from './json/pointer.js'

const DURATIONS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZES = { B: 1, KiB: 1024, MiB: 1024 * 1024 } as const

/** A setting that is a length of time, written as a whole number and a unit: `500ms`, `30s`, `24h`. */
export const Duration = (options: { description: string; default: string }) =>
  Type.String({
    pattern: '^[0-9]{1,9}(ms|s|m|h|d)$',
    expected: 'a duration such as "500ms", "30s" or "24h"',
    ...options,
  })

/** A setting that is a number of bytes, written as a whole number and a unit: `64KiB`, `1MiB`. */
export const Size = (options: { description: string; default: string }) =>
  Type.String({
    pattern: '^[0-9]{1,9}(B|KiB|MiB)$',
    expected: 'a size such as "512B", "64KiB" or "1MiB"',
    ...options,
  })

/** With more milliseconds, setTimeout fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

/** Milliseconds of a checked `Duration`. */
export const milliseconds = (duration: string): number => scaled(duration, DURATIONS)

/** Bytes of a checked `Size`. */
export const bytes = (size: string): number => scaled(size, SIZES)

function scaled(text: string, units: Readonly<{ [unit: string]: number }>): number {
  const unit = text.replace(/^[0-9]+/, '')
  const factor = units[unit]
  if (factor === undefined) throw new TypeError(`"${text}" has no unit of ${Object.keys(units).join(', ')}`)
  return Number.parseInt(text, 10) * factor
}
