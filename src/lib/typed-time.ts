/** The forms that `readTime` takes, for help texts and problems. */
export const TIME_FORMS =
  '2026-01-31, "2026-01-31 08:00Z", 2026-01-31T08:00:00+02:00, 90m, 1h30m or "90m ago"'

const UNITS: Readonly<{ [unit: string]: number }> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
}

const PART = String.raw`\d{1,9} *[a-z]{1,8}`
const AGO = new RegExp(`^${PART}(?: *${PART})*(?: +ago)?$`)
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/

/**
 * Milliseconds since the epoch of a typed time: a date (its midnight in UTC), a date and time with its offset from UTC, `now`,
 * or how long ago. Undefined if it is none of these.
 */
export function readTime(typed: string, now: number): number | undefined {
  const text = typed.trim()
  if (text === 'now') return now
  if (AGO.test(text)) return agoOf(text, now)
  const [, year, month, day] = DATE.exec(text) ?? []
  if (year === undefined) return undefined
  // Date.parse turns the 30th of February into the 2nd of March.
  if (Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()) return undefined
  const at = Date.parse(text.replace(' ', 'T'))
  return Number.isNaN(at) ? undefined : at
}

function agoOf(text: string, now: number): number | undefined {
  let at = now
  for (const [, count, unit = ''] of text.replace(/ +ago$/, '').matchAll(/(\d+) *([a-z]+)/g)) {
    const factor = lengthOf(unit)
    if (factor === undefined) return undefined
    at -= Number(count) * factor
  }
  // No record is older than the epoch.
  return Math.max(0, at)
}

function lengthOf(unit: string): number | undefined {
  if (Object.hasOwn(UNITS, unit)) return UNITS[unit]
  const singular = unit.replace(/s$/, '')
  return singular.length > 2 && Object.hasOwn(UNITS, singular) ? UNITS[singular] : undefined
}
